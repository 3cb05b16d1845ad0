"""Which engine answers where none is named: the name of the model says it, where it is plain."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from oumi.backends.base import Backend
from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import effective_settings, find_engine, load_backend
from oumi.core.configs import EMBEDDED_MODEL, InferenceConfig, InferenceEngineType, ModelParams
from oumi.core.configs.engine_name import parse_engine_name
from oumi.errors import ConfigError, MissingDependencyError

# Names that only their makers give to models. https://platform.openai.com/docs/models,
# https://docs.claude.com/en/docs/about-claude/models, https://ai.google.dev/gemini-api/docs/models,
# https://docs.x.ai/docs/models, https://api-docs.deepseek.com, https://docs.mistral.ai/models
_MAKERS = {
    InferenceEngineType.OPENAI: (
        r"gpt-\d|chatgpt-|o\d(?:-|$)|codex-|computer-use-|text-embedding-(?:3|ada)-"
    ),
    InferenceEngineType.ANTHROPIC: r"claude-",
    InferenceEngineType.GOOGLE_GEMINI: r"gemini-",
    InferenceEngineType.XAI: r"grok-",
    InferenceEngineType.DEEPSEEK: r"deepseek-(?:chat|reasoner)$",
    InferenceEngineType.MISTRAL: (
        r"(?:mistral|ministral|magistral|codestral|devstral|pixtral)-.*(?:latest|embed|\d{4})$"
    ),
}
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


class EngineChoice(NamedTuple):
    """The engine for a model, and the model's name there."""

    engine: str
    model_name: str


def choose_engine(config: InferenceConfig) -> EngineChoice:
    """The engine that the settings name, or the one that the name of their model says.

    `gpt-4o` is asked of its maker; `groq/llama-3.3-70b-versatile` of the provider before the
    slash; a GGUF file is for llama.cpp, a model at an `api_url` for the server there, and any
    other for Transformers, or for vLLM where only that is installed.
    """
    name = config.model.model_name
    if config.engine is not None:
        return EngineChoice(str(config.engine), name)
    if name == EMBEDDED_MODEL or ".gguf" in name.lower():
        return EngineChoice(InferenceEngineType.LLAMACPP, name)
    if os.path.exists(os.path.expanduser(name)):
        return EngineChoice(_local_engine(), name)
    return _choice_by_name(name) or EngineChoice(_engine_of_unknown(config), name)


def engine_for(config: InferenceConfig) -> EngineRow:
    """The row of that engine, which need not be installed."""
    return find_engine(choose_engine(config).engine)


def build_backend(config: InferenceConfig) -> Backend:
    """The backend of that engine, with its model loaded."""
    config = with_engine(config)
    row = engine_for(config)
    config = effective_settings(row, config)
    return load_backend(row, config)(row, config)


def with_engine(config: InferenceConfig) -> InferenceConfig:
    """The settings with their engine named, and the model as it is called there.

    Raises MissingDependencyError where a model is for this machine and nothing here can load it,
    ConfigError for a name that says nothing.
    """
    if config.engine is not None:
        return config
    engine, name = choose_engine(config)
    if not find_engine(engine).is_installed():
        raise _no_engine(name)
    model = config.model
    if name != model.model_name:
        model = model.merge(ModelParams(model_name=name))
    return config.model_copy(update={"engine": parse_engine_name(engine), "model": model})


def _choice_by_name(name: str) -> EngineChoice | None:
    """The choice for a model of a known maker, or behind a provider's name and a slash."""
    if maker := _maker_of(name):
        return EngineChoice(maker, name)
    prefix, slash, rest = name.partition("/")
    provider = _provider_of(prefix) if slash else None
    if provider is None:
        return None
    # Such as `openai/gpt-oss-20b`: this maker's open models have ids like that on the hub.
    if provider == InferenceEngineType.OPENAI and _maker_of(rest) != provider:
        return None
    return EngineChoice(provider, rest)


def _maker_of(name: str) -> str | None:
    return next((str(engine) for engine, names in _MAKERS.items() if re.match(names, name)), None)


def _provider_of(prefix: str) -> str | None:
    """The engine of that name, where it is an API. Hub ids begin with capitals more often."""
    if prefix != prefix.lower():
        return None
    try:
        row = find_engine(prefix)
    except ConfigError:
        return None
    return row.name if row.provider is not None else None


def _engine_of_unknown(config: InferenceConfig) -> str:
    if config.remote_params is not None and config.remote_params.api_url is not None:
        return InferenceEngineType.REMOTE
    return _local_engine()


def _local_engine() -> str:
    """Transformers, or vLLM where only that is installed."""
    engines = (InferenceEngineType.NATIVE, InferenceEngineType.VLLM)
    installed = [name for name in engines if find_engine(name).is_installed()]
    return (installed or engines)[0]


def _no_engine(name: str) -> Exception:
    if _HUB_ID.fullmatch(name):
        return MissingDependencyError(
            f"{name}: to load it from the Hugging Face hub takes Transformers, which is not "
            f"installed: {find_engine('NATIVE').install}. Without it: name a GGUF file of this "
            "model (owner/repo:file.gguf) for llama.cpp, or the API that serves it, such as "
            f"--engine HUGGING_FACE_ROUTER or -m together/{name}"
        )
    return ConfigError(
        f"model.model_name: {name!r} does not say which engine answers: name one as in ollama/"
        f"{name}, or set engine (`oumi engines` lists them); a path ends in .gguf or is a folder"
    )
