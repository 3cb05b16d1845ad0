"""Settings: which model, which engine, how it generates, how an API is reached."""

from __future__ import annotations

from typing import Any

from oumi.core.configs.embedding_params import EmbeddingParams
from oumi.core.configs.engine_type import InferenceEngineType
from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.model_params import EMBEDDED_MODEL, ModelParams
from oumi.core.configs.price_params import PriceParams
from oumi.core.configs.remote_params import Api, RemoteParams
from oumi.core.configs.run_choices import BadRows

__all__ = [
    "EMBEDDED_MODEL",
    "Api",
    "BadRows",
    "EmbeddingParams",
    "GenerationParams",
    "GuidedDecodingParams",
    "InferenceConfig",
    "InferenceEngineType",
    "ModelParams",
    "PriceParams",
    "RemoteParams",
]

_UPSTREAM = {
    "BaseConfig": "oumi.core.configs.base:Settings",
    "OumiConfigError": "oumi.errors:ConfigError",
}
"""What the upstream library has here too, under its names."""


def __getattr__(name: str) -> Any:
    if name not in _UPSTREAM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, _, attribute = _UPSTREAM[name].partition(":")
    return getattr(import_module(module), attribute)
