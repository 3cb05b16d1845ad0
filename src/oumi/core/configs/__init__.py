"""Settings: which model, which engine, how it generates, how an API is reached."""

from oumi.core.configs.engine_type import InferenceEngineType
from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.guided_decoding_params import GuidedDecodingParams
from oumi.core.configs.inference_config import BadRows, InferenceConfig
from oumi.core.configs.model_params import EMBEDDED_MODEL, ModelParams
from oumi.core.configs.remote_params import Api, RemoteParams

__all__ = [
    "EMBEDDED_MODEL",
    "Api",
    "BadRows",
    "GenerationParams",
    "GuidedDecodingParams",
    "InferenceConfig",
    "InferenceEngineType",
    "ModelParams",
    "RemoteParams",
]
