"""Azure without a key: tokens of Microsoft Entra ID."""

from __future__ import annotations

import pytest

from oumi.core.configs import ModelParams, RemoteParams
from oumi.errors import AccessError
from oumi.inference import AzureOpenAIInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

ADDRESS = "/openai/v1/chat/completions"


@pytest.fixture
def machine(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """A machine with an identity of its own, whose tokens come from the server.

    https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
    """
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{server.url}/token")
    monkeypatch.setenv("IDENTITY_HEADER", "secret-of-the-machine")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential")
    return server


def azure(server: FaultServer, **remote: object) -> AzureOpenAIInferenceEngine:
    return AzureOpenAIInferenceEngine(
        ModelParams(model_name="my-deployment"),
        remote_params=RemoteParams(api_url=server.url, num_workers=1, **remote),
    )


def test_one_token_of_the_machine_serves_all_rows(machine: FaultServer):
    with azure(machine) as engine:
        asked = [ask(f"row-{i}") for i in range(4)]
        assert answers(engine.infer(asked)) == [f"answer to row-{i}" for i in range(4)]
        list(engine.stream(ask("row-9")))
    stats = machine.stats()
    assert stats["authorizations"] == ["Bearer token-1"]
    assert stats["last"][-1]["path"] == ADDRESS
    assert "api-key" not in stats["last"][-1]["headers"]
    [token] = [row for row in stats["rows"] if "/token" in row]
    assert "resource=https://cognitiveservices.azure.com" in token


def test_a_token_is_renewed_before_it_expires(machine: FaultServer):
    machine.plan(token_s=2)  # less than the time before the end at which one is renewed
    with azure(machine, politeness_policy=2.1) as engine:
        engine.infer([ask("row-0"), ask("row-1")])
    assert machine.stats()["authorizations"] == ["Bearer token-1", "Bearer token-2"]


def test_without_credentials_the_error_says_what_to_set(machine: FaultServer, monkeypatch):
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    with azure(machine) as engine, pytest.raises(AccessError, match="Set AZURE_OPENAI_API_KEY, or"):
        engine.infer([ask("row-1")])
    assert "row-1" not in machine.stats()["rows"]


def test_a_token_of_ones_own_goes_before_the_key_of_the_environment(
    machine: FaultServer, monkeypatch: pytest.MonkeyPatch
):
    """As with the official client."""
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", "my-token")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "my-key")
    with azure(machine) as engine:
        engine.infer([ask("row-1")])
    assert machine.stats()["authorizations"] == ["Bearer my-token"]
    with azure(machine, api_key="given") as engine:
        engine.infer([ask("row-2")])
    assert machine.stats()["last"][-1]["headers"]["api-key"] == "given"
    assert not [row for row in machine.stats()["rows"] if "/token" in row]
