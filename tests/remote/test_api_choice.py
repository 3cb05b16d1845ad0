"""Which API is asked: by the setting, by the address, or because only it serves the model."""

from __future__ import annotations

import typing
from typing import Any

import pytest
from openai.types.shared import ChatModel, ResponsesModel

from oumi.backends.registry import check_settings, find_engine
from oumi.backends.remote.api_choice import dialect_name
from oumi.backends.remote.model_families import family_of
from oumi.backends.remote.providers import PROVIDERS, find_provider
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.errors import ConfigError, ModelNotFoundError, UnsupportedError
from oumi.inference import AzureOpenAIInferenceEngine, OpenAIInferenceEngine, RemoteInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.rows import RESPONSES_ROWS


def config(model: str = "m", **remote: Any) -> InferenceConfig:
    return InferenceConfig(
        model=ModelParams(model_name=model), remote_params=RemoteParams(**remote)
    )


def chosen(provider: str, model: str = "m", **remote: Any) -> str:
    return dialect_name(find_provider(provider), config(model, **remote))


def literals(kind: Any) -> set[str]:
    """The names in a union of literals."""
    if typing.get_origin(kind) is typing.Literal:
        return set(typing.get_args(kind))
    return set().union(*(literals(part) for part in typing.get_args(kind)))


def test_the_models_that_the_sdk_knows_for_the_responses_api_alone():
    only = literals(ResponsesModel) - literals(ChatModel)
    assert "gpt-5-pro" in only
    assert {name for name in only if not family_of(name).responses_only} == set()
    chat = {name for name in literals(ChatModel) if family_of(name).responses_only}
    assert chat <= {name for name in literals(ChatModel) if "-pro" in name or "codex" in name}


@pytest.mark.parametrize("name", ["o1", "o3-mini", "gpt-5", "gpt-5-mini", "gpt-4o", "gpt-5-prose"])
def test_models_of_the_chat_api(name: str):
    assert not family_of(name).responses_only
    assert chosen("OPENAI", name) == "chat"


@pytest.mark.parametrize(
    "model", ["o1-pro", "gpt-5-pro-2025-10-06", "gpt-5.3-codex-max", "codex-mini-latest"]
)
def test_the_model_decides_where_the_chat_api_refuses_it(model: str):
    assert chosen("OPENAI", model) == chosen("AZURE", model) == "responses"
    assert chosen("OPENAI", model, api="chat") == "chat"
    # These serve it by their chat API as well.
    assert chosen("OPENROUTER", f"openai/{model}") == chosen("REMOTE", model) == "chat"


def test_the_setting_decides():
    for row in RESPONSES_ROWS:
        assert dialect_name(row, config(api="responses")) == "responses"
        assert chosen(row.name, api="responses") == "responses"
        assert chosen(row.name, api="chat") == chosen(row.name) == "chat"


def test_the_full_endpoint_names_the_api():
    url = "http://localhost:8000/v1/responses"
    assert chosen("REMOTE", api_url=url) == chosen("REMOTE", api_url=[url + "/"]) == "responses"
    assert chosen("REMOTE", api_url=url, api="chat") == "chat"
    assert chosen("GROQ", api_url=url) == "chat"


def test_an_api_that_a_provider_does_not_have_is_refused():
    offered = {row.name for row in RESPONSES_ROWS}
    for row in PROVIDERS:
        if row.name not in offered:
            with pytest.raises(UnsupportedError, match=rf"{row.name} has no API 'responses'; "):
                check_settings(find_engine(row.name), config(api="responses"))
    with pytest.raises(UnsupportedError, match=r"remote_params\.api: ANTHROPIC has no API 'chat'"):
        check_settings(find_engine("ANTHROPIC"), config(api="chat"))
    with pytest.raises(ConfigError, match=r"remote_params\.api.*'chat' or 'responses'"):
        InferenceConfig.from_overrides([("remote_params.api", "answers")])


def test_a_setting_that_only_the_chat_api_has_is_refused():
    wanted = config(api="responses").merge(InferenceConfig(generation=GenerationParams(seed=3)))
    with pytest.raises(UnsupportedError, match=r"generation\.seed in the Responses API: leave it"):
        check_settings(find_engine("OPENAI"), wanted)


def engine(server: FaultServer, model: str = "m", **remote: Any) -> OpenAIInferenceEngine:
    params = {"api_url": server.api_url, "api_key": "sk-very-secret-0123456789", **remote}
    return OpenAIInferenceEngine(
        ModelParams(model_name=model), remote_params=RemoteParams(**params)
    )


def keys(made: RemoteInferenceEngine) -> str:
    with made:
        return made.session().keys.settings_key


def test_keys_know_the_api_only_where_it_is_another(server: FaultServer):
    by_default, by_chat = keys(engine(server)), keys(engine(server, api="chat"))
    by_responses = keys(engine(server, api="responses"))
    assert by_default == by_chat != by_responses
    assert keys(engine(server, "o3-pro")) == keys(engine(server, "o3-pro", api="responses"))


REFUSALS = [
    (404, "This model is only supported in v1/responses and not in v1/chat/completions."),
    (404, "This is not a chat model and thus not supported in the v1/chat/completions endpoint."),
    (400, "The chatCompletion operation does not work with the specified model, gpt-5.1-codex."),
]


@pytest.mark.parametrize(("code", "words"), REFUSALS)
def test_a_refusal_of_the_chat_api_names_the_setting(server: FaultServer, code: int, words: str):
    body = {"error": {"message": words, "type": "invalid_request_error", "param": "model"}}
    server.plan(faults=[{"kind": "status", "code": code, "body": body, "times": None}])
    with (
        engine(server, num_workers=1) as made,
        pytest.raises(ModelNotFoundError, match=r"set remote_params\.api to responses"),
    ):
        made.infer([ask(f"row-{i}") for i in range(5)])
    assert server.stats()["requests"] == 1


@pytest.mark.parametrize("path", ["/v1/responses", "/v1"])
def test_where_requests_go(server: FaultServer, path: str):
    with engine(server, "gpt-5-pro", api_url=server.url + path) as made:
        assert answers(made.infer([ask("row-1")])) == ["answer to row-1"]
    assert server.stats()["last"][-1]["path"] == "/v1/responses"


def test_on_azure_they_go_past_the_deployment(server: FaultServer):
    remote = RemoteParams(
        api_url=f"{server.url}?api-version=2025-03-01-preview", api_key="k", api="responses"
    )
    with AzureOpenAIInferenceEngine(ModelParams(model_name="mine"), remote_params=remote) as made:
        assert answers(made.infer([ask("row-1")])) == ["answer to row-1"]
    seen = server.stats()["last"][-1]
    assert seen["path"] == "/openai/responses?api-version=2025-03-01-preview"
    assert '"model":"mine"' in seen["body"]
