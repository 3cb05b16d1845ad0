from __future__ import annotations

import pytest

from oumi.backends.provider import Provider
from oumi.backends.remote.address import Address, find_address, key_hint
from oumi.backends.remote.providers import find_provider
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import AccessError, ConfigError, UnsupportedError

OPENAI = find_provider("OPENAI")
REMOTE = find_provider("REMOTE")
VLLM = find_provider("REMOTE_VLLM")
AZURE = find_provider("AZURE")
VERTEX = find_provider("GOOGLE_VERTEX")


def find(provider: Provider, remote: RemoteParams | None = None, model: str = "m") -> Address:
    config = InferenceConfig(model=ModelParams(model_name=model), remote_params=remote)
    return find_address(provider, config)


@pytest.mark.parametrize(
    ("given", "base"),
    [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/chat/completions", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/completions", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/embeddings", "https://api.openai.com/v1"),
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("localhost:8000", "http://localhost:8000/v1"),
        ("127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("api.example.org", "https://api.example.org/v1"),
        ("https://example.org/openai/v3/chat/completions/", "https://example.org/openai/v3"),
    ],
)
def test_an_address_in_any_of_its_forms(given: str, base: str):
    found = find(REMOTE, RemoteParams(api_url=given))
    assert (found.bases, found.query, found.is_endpoint) == ((base,), "", False)


@pytest.mark.parametrize(
    "given",
    [
        "http://h/v1/generate",
        "http://h/gateway/team-a/ask",
        "http://h/serving-endpoints/m/invocations?key=1&api-version=2",
    ],
)
def test_an_endpoint_of_another_kind_is_used_as_it_is(given: str):
    found = find(REMOTE, RemoteParams(api_url=given))
    assert found.is_endpoint
    assert found.url(found.bases[0], "/chat/completions") == given
    with pytest.raises(UnsupportedError, match="one endpoint alone"):
        found.check_is_base()


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://h/litellm/", "http://h/litellm/chat/completions"),
        ("http://h?api-version=3&x=1", "http://h/v1/chat/completions?api-version=3&x=1"),
        ("h.org/proxy/?x=/v1", "https://h.org/proxy/chat/completions?x=/v1"),
        ("http://h/v1?", "http://h/v1/chat/completions"),
        ("http://h/v1beta/openai", "http://h/v1beta/openai/chat/completions"),
        ("http://h/models?api-version=2", "http://h/models/chat/completions?api-version=2"),
        ("http://h/x/chat/completions?a=b", "http://h/x/chat/completions?a=b"),
        (
            "http://h/openai/deployments/x/chat/completions?api-version=2024-10-21",
            "http://h/openai/deployments/x/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_what_is_a_base_has_the_path_added(given: str, asked: str):
    found = find(REMOTE, RemoteParams(api_url=given))
    assert found.url(found.bases[0], "/chat/completions") == asked


@pytest.mark.parametrize(
    ("engine", "path"),
    [("SGLANG", "/generate"), ("OLLAMA", "/api/chat"), ("OLLAMA", "/api/generate/")],
)
def test_the_own_endpoint_of_a_server_stands_for_the_server(engine: str, path: str):
    found = find(find_provider(engine), RemoteParams(api_url=f"http://127.0.0.1:6864{path}"))
    assert (found.bases, found.is_endpoint) == (("http://127.0.0.1:6864/v1",), False)


def test_a_variable_is_a_base_whatever_it_ends_in(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://h/litellm")
    assert not find(REMOTE).is_endpoint


@pytest.mark.parametrize("given", ["ftp://x", "http://", ""])
def test_what_is_no_address_is_refused(given: str):
    with pytest.raises(ConfigError, match="api_url"):
        find(REMOTE, RemoteParams(api_url=given or "  "))


def test_the_environment_as_the_official_client_reads_it(monkeypatch):
    with pytest.raises(AccessError, match="OPENAI_API_KEY"):
        find(OPENAI)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    address = find(OPENAI)
    assert address.bases == ("https://api.openai.com/v1",)
    assert dict(address.headers)["authorization"] == "Bearer sk-env"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:1/v1")
    assert find(OPENAI).bases == ("http://localhost:1/v1",)
    assert find(REMOTE).bases == ("http://localhost:1/v1",)
    assert find(OPENAI, RemoteParams(api_url="x.org")).bases == ("https://x.org/v1",)


def test_which_key_wins(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-env")
    monkeypatch.setenv("MY_KEY", "sk-mine")
    named = RemoteParams(api_key_env_varname="MY_KEY")
    assert dict(find(OPENAI, named).headers)["authorization"] == "Bearer sk-mine"
    given = RemoteParams(api_key="sk-given", api_key_env_varname="MY_KEY")
    address = find(OPENAI, given)
    assert dict(address.headers)["authorization"] == "Bearer sk-given"
    assert "sk-given" not in repr(address)
    assert "MY_KEY" in key_hint(OPENAI, named)
    with pytest.raises(AccessError, match="OTHER, which is not set"):
        find(OPENAI, RemoteParams(api_key_env_varname="OTHER"))
    with pytest.raises(AccessError, match="copied whole"):
        find(OPENAI, RemoteParams(api_key="sk-a\nb"))


def test_a_server_of_ones_own_needs_a_url_and_no_key():
    with pytest.raises(ConfigError, match="api_url"):
        find(VLLM)
    replicas = find(VLLM, RemoteParams(api_url=["a:1", "b:2"]))
    assert replicas.bases == ("https://a:1/v1", "https://b:2/v1")
    assert "authorization" not in dict(replicas.headers)


def test_azure_by_deployment_and_version(monkeypatch):
    key = "k-azure"
    named = "https://res.openai.azure.com"
    today = find(AZURE, RemoteParams(api_url=named, api_key=key), "gpt-4o")
    assert (today.bases, today.query) == ((f"{named}/openai/v1",), "")
    assert dict(today.headers)["api-key"] == key
    assert "authorization" not in dict(today.headers)
    with_version = RemoteParams(api_url=f"{named}?api-version=2024-10-21", api_key=key)
    classic = find(AZURE, with_version, "my deployment")
    assert classic.bases == (f"{named}/openai/deployments/my%20deployment",)
    assert classic.query == "?api-version=2024-10-21"
    assert classic.models_base == f"{named}/openai"
    whole = f"{named}/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert find(AZURE, RemoteParams(api_url=whole, api_key=key)).bases == (
        f"{named}/openai/deployments/d",
    )
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-01-01")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", named)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", key)
    assert find(AZURE).query == "?api-version=2025-01-01"
    v1 = RemoteParams(api_url=f"{named}/openai/v1/")
    assert (find(AZURE, v1).bases, find(AZURE, v1).query) == ((f"{named}/openai/v1",), "")


def test_replicas_are_alike():
    urls = ["https://a.openai.azure.com?api-version=1", "https://b.openai.azure.com?api-version=2"]
    with pytest.raises(ConfigError, match="same query"):
        find(AZURE, RemoteParams(api_url=urls, api_key="k"))
    with pytest.raises(ConfigError, match="all alike"):
        find(REMOTE, RemoteParams(api_url=["http://a/ask", "http://b/v1"]))
    with pytest.raises(ConfigError, match="no fragment"):
        find(OPENAI, RemoteParams(api_url="https://a.org#x", api_key="k"))


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://a/v1?api-version=3", "http://a/v1/chat/completions?api-version=3"),
        ("http://a?api-version=3&x=1", "http://a/v1/chat/completions?api-version=3&x=1"),
        ("http://a/v1/?key=a%2Fb", "http://a/v1/chat/completions?key=a%2Fb"),
        ("http://a/v1/chat/completions?x", "http://a/v1/chat/completions?x"),
        ("a.org/proxy/?x=/v1", "https://a.org/proxy/chat/completions?x=/v1"),
        ("http://a/v1?", "http://a/v1/chat/completions"),
    ],
)
def test_a_query_follows_the_whole_path(monkeypatch, given: str, url: str):
    def whole(address: Address) -> str:
        return address.with_query(address.bases[0] + "/chat/completions")

    assert whole(find(OPENAI, RemoteParams(api_url=given, api_key="k"))) == url
    monkeypatch.setenv("OPENAI_BASE_URL", given)
    assert whole(find(REMOTE)) == url
    base = find(REMOTE).bases[0]
    assert find(REMOTE).with_query(f"{base}/files?purpose=batch").count("?") == 1


def test_azure_keeps_what_else_stands_in_a_query():
    url = "https://res.openai.azure.com?tenant=a&api-version=2024-10-21"
    address = find(AZURE, RemoteParams(api_url=url, api_key="k"), "d")
    assert address.bases == ("https://res.openai.azure.com/openai/deployments/d",)
    assert address.query == "?tenant=a&api-version=2024-10-21"


@pytest.mark.parametrize("url", ["http://a/v1#x", "http://a/v1?x=1#y"])
def test_a_fragment_is_refused(url: str):
    with pytest.raises(ConfigError, match="api_url"):
        find(REMOTE, RemoteParams(api_url=url))


def test_an_address_made_of_project_and_region(monkeypatch):
    with pytest.raises(ConfigError, match="REGION, GOOGLE_CLOUD_LOCATION"):
        find(VERTEX)
    monkeypatch.setenv("REGION", "europe-west4")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "mine")
    host = "https://europe-west4-aiplatform.googleapis.com"
    path = "/v1/projects/mine/locations/europe-west4/endpoints/openapi"
    assert find(VERTEX).bases == (host + path,)
    assert not find(VERTEX).has_key
    monkeypatch.setenv("REGION", "global")
    assert find(VERTEX).bases[0].startswith("https://aiplatform.googleapis.com/v1/projects/mine/")
    whole = RemoteParams(api_url=host + path + "/chat/completions")
    assert find(VERTEX, whole).bases == (host + path,)


@pytest.mark.parametrize(
    ("engine", "host", "base"),
    [
        ("GROQ", "https://api.groq.com", "https://api.groq.com/openai/v1"),
        ("FIREWORKS", "https://api.fireworks.ai", "https://api.fireworks.ai/inference/v1"),
        ("OPENROUTER", "https://openrouter.ai/api/v1/", "https://openrouter.ai/api/v1"),
        ("OLLAMA", "127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
    ],
)
def test_a_variable_may_hold_only_the_host(monkeypatch, engine: str, host: str, base: str):
    provider = find_provider(engine)
    monkeypatch.setenv(provider.url_env, host)
    assert find(provider, RemoteParams(api_key="k")).bases == (base,)


def test_bedrock_lists_models_elsewhere(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    address = find(find_provider("BEDROCK"))
    assert address.bases == ("https://bedrock-runtime.us-west-2.amazonaws.com",)
    assert address.models_base == "https://bedrock.us-west-2.amazonaws.com"
