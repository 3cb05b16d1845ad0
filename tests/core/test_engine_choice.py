"""The engine that the name of a model says."""

import importlib.util

import pytest

from oumi.backends.engine_choice import choose_engine, engine_for, with_engine
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import ConfigError, MissingDependencyError, OumiError

HAS_LOCAL = any(importlib.util.find_spec(name) for name in ("transformers", "vllm"))


def of(name: str, **fields: object) -> InferenceConfig:
    return InferenceConfig(model=ModelParams(name), **fields)


@pytest.mark.parametrize(
    ("name", "engine", "there"),
    [
        ("oumi-tiny", "LLAMACPP", "oumi-tiny"),
        ("models/some.Q4_K_M.gguf", "LLAMACPP", "models/some.Q4_K_M.gguf"),
        ("owner/repo-GGUF:some.gguf", "LLAMACPP", "owner/repo-GGUF:some.gguf"),
        ("gpt-4o-mini", "OPENAI", "gpt-4o-mini"),
        ("o3-mini", "OPENAI", "o3-mini"),
        ("claude-opus-4-1", "ANTHROPIC", "claude-opus-4-1"),
        ("gemini-2.5-pro", "GOOGLE_GEMINI", "gemini-2.5-pro"),
        ("grok-4", "XAI", "grok-4"),
        ("deepseek-chat", "DEEPSEEK", "deepseek-chat"),
        ("mistral-large-latest", "MISTRAL", "mistral-large-latest"),
        ("openai/gpt-4o", "OPENAI", "gpt-4o"),
        ("groq/llama-3.3-70b-versatile", "GROQ", "llama-3.3-70b-versatile"),
        ("gemini/gemini-2.5-pro", "GOOGLE_GEMINI", "gemini-2.5-pro"),
        ("openrouter/meta-llama/llama-3-8b", "OPENROUTER", "meta-llama/llama-3-8b"),
        ("ollama/llama3.2", "OLLAMA", "llama3.2"),
    ],
)
def test_a_plain_name(name: str, engine: str, there: str) -> None:
    assert choose_engine(of(name)) == (engine, there)
    config = with_engine(of(name))
    assert (config.engine, config.model.model_name) == (engine, there)


@pytest.mark.parametrize(
    "name",
    [
        "meta-llama/Llama-3.2-1B-Instruct",
        "openai/gpt-oss-20b",
        "openai-community/gpt2",
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
        "mistralai/Mistral-7B-Instruct-v0.3",
        "Groq/Llama-3-Groq-8B-Tool-Use",
        "gpt-oss-20b",
        "gpt2",
    ],
)
def test_a_hub_id_is_for_this_machine(name: str) -> None:
    assert engine_for(of(name)).provider is None


def test_an_engine_that_is_named_wins() -> None:
    config = of("gpt-4o", engine="OPENROUTER")
    assert with_engine(config) is config
    assert choose_engine(of("openai/gpt-4o", engine="OPENROUTER")) == (
        "OPENROUTER", "openai/gpt-4o",
    )  # fmt: skip


def test_a_file_of_this_machine_wins_over_a_name(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "groq" / "mine").mkdir(parents=True)
    assert engine_for(of("groq/mine")).provider is None


def test_an_address_is_that_of_a_server() -> None:
    remote = RemoteParams(api_url="localhost:8000")
    assert choose_engine(of("meta-llama/Llama-3.2-1B", remote_params=remote)).engine == "REMOTE"
    assert choose_engine(of("gpt-4o", remote_params=remote)).engine == "OPENAI"


def test_the_settings_are_not_changed() -> None:
    config = of("groq/llama-3")
    with_engine(config)
    assert (config.engine, config.model.model_name) == (None, "groq/llama-3")


@pytest.mark.skipif(HAS_LOCAL, reason="an engine for any model is installed")
@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("meta-llama/Llama-3.2-1B", MissingDependencyError, ("owner/repo:file.gguf", "--engine")),
        ("llama3.2", ConfigError, ("ollama/llama3.2", "oumi engines")),
    ],
)
def test_what_else_can_be_done(name: str, kind: type[OumiError], said: tuple[str, ...]) -> None:
    with pytest.raises(kind) as caught:
        with_engine(of(name))
    assert all(text in str(caught.value) for text in said)
