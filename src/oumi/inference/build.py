"""From settings to an engine."""

from __future__ import annotations

from oumi.backends.registry import find_engine
from oumi.core.configs import EMBEDDED_MODEL, InferenceConfig, InferenceEngineType, ModelParams
from oumi.inference.engine import InferenceEngine


def build_engine(config: InferenceConfig) -> InferenceEngine:
    """The engine that the settings name, with their model loaded.

    Raises ConfigError for a name that no engine has, and what the engine's class raises.
    """
    row = find_engine(config.engine or _engine_for(config.model))
    engine: InferenceEngine = row.load_class()(
        config.model,
        generation_params=config.generation,
        remote_params=config.remote_params,
    )
    return engine


def _engine_for(model: ModelParams) -> InferenceEngineType:
    """The engine for a model when none is named."""
    if model.model_name == EMBEDDED_MODEL or ".gguf" in model.model_name.lower():
        return InferenceEngineType.LLAMACPP
    return InferenceEngineType.NATIVE
