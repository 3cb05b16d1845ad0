"""The engines behind an API, by name; what differs between them is their provider's row."""

from typing import ClassVar

from oumi.core.configs import InferenceEngineType
from oumi.inference.remote.engine import RemoteInferenceEngine

__all__ = [
    "OpenAIInferenceEngine",
    "RemoteInferenceEngine",
    "RemoteVLLMInferenceEngine",
    "SGLangInferenceEngine",
]


class OpenAIInferenceEngine(RemoteInferenceEngine):
    """The OpenAI API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.OPENAI


class RemoteVLLMInferenceEngine(RemoteInferenceEngine):
    """A vLLM server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.REMOTE_VLLM


class SGLangInferenceEngine(RemoteInferenceEngine):
    """An SGLang server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.SGLANG
