from __future__ import annotations

import pytest

from oumi.core.configs import InferenceEngineType, RemoteParams
from oumi.errors import AccessError, ConfigError
from oumi.inference.remote.address import find_address, key_hint, to_base
from oumi.inference.remote.providers import BY_ENGINE

OPENAI = BY_ENGINE[InferenceEngineType.OPENAI]
REMOTE = BY_ENGINE[InferenceEngineType.REMOTE]
VLLM = BY_ENGINE[InferenceEngineType.REMOTE_VLLM]


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"),
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("localhost:8000", "http://localhost:8000/v1"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("api.example.org", "https://api.example.org/v1"),
        ("https://example.org/openai/v3/chat/completions/", "https://example.org/openai/v3"),
    ],
)
def test_an_address_in_any_of_its_forms(given: str, base: str):
    assert to_base(given) == base


@pytest.mark.parametrize("given", ["ftp://x", "http://", ""])
def test_what_is_no_address_is_refused(given: str):
    with pytest.raises(ConfigError, match="api_url"):
        find_address(REMOTE, RemoteParams(api_url=given or "  "))


def test_the_environment_as_the_official_client_reads_it(monkeypatch):
    with pytest.raises(AccessError, match="OPENAI_API_KEY"):
        find_address(OPENAI, RemoteParams())
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    address = find_address(OPENAI, RemoteParams())
    assert address.bases == ("https://api.openai.com/v1",)
    assert dict(address.headers)["authorization"] == "Bearer sk-env"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert find_address(OPENAI, RemoteParams()).bases == ("http://localhost:1/v1",)
    assert find_address(REMOTE, RemoteParams()).bases == ("http://localhost:1/v1",)
    assert find_address(OPENAI, RemoteParams(api_url="x.org")).bases == ("https://x.org/v1",)


def test_which_key_wins(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    monkeypatch.setenv("MY_KEY", "sk-mine")
    named = RemoteParams(api_key_env_varname="MY_KEY")
    assert dict(find_address(OPENAI, named).headers)["authorization"] == "Bearer sk-mine"
    given = RemoteParams(api_key="sk-given", api_key_env_varname="MY_KEY")
    address = find_address(OPENAI, given)
    assert dict(address.headers)["authorization"] == "Bearer sk-given"
    assert "sk-given" not in repr(address)
    assert "MY_KEY" in key_hint(OPENAI, named)
    with pytest.raises(AccessError, match="OTHER, which is not set"):
        find_address(OPENAI, RemoteParams(api_key_env_varname="OTHER"))
    with pytest.raises(AccessError, match="copied whole"):
        find_address(OPENAI, RemoteParams(api_key="sk-a\nb"))


def test_a_server_of_ones_own_needs_a_url_and_no_key():
    with pytest.raises(ConfigError, match="api_url"):
        find_address(VLLM, RemoteParams())
    replicas = find_address(VLLM, RemoteParams(api_url=["a:1", "b:2"]))
    assert replicas.bases == ("https://a:1/v1", "https://b:2/v1")
    assert "authorization" not in dict(replicas.headers)
