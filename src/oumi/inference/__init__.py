"""The engines by their public names. Importing one never imports another's runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi.backends.registry import ROWS, build_engine
from oumi.inference.engine import InferenceEngine

if TYPE_CHECKING:
    from oumi.backends.local.llama_cpp import LlamaCppInferenceEngine
    from oumi.backends.local.native import NativeTextInferenceEngine
    from oumi.backends.local.vllm import VLLMInferenceEngine
    from oumi.backends.remote.backend import RemoteInferenceEngine
    from oumi.inference.engines import (
        AnthropicInferenceEngine,
        AzureOpenAIInferenceEngine,
        BedrockInferenceEngine,
        CerebrasInferenceEngine,
        DeepSeekInferenceEngine,
        FireworksInferenceEngine,
        GoogleGeminiInferenceEngine,
        GoogleVertexInferenceEngine,
        GroqInferenceEngine,
        HuggingFaceInferenceEngine,
        LambdaInferenceEngine,
        MistralInferenceEngine,
        OllamaInferenceEngine,
        OpenAIInferenceEngine,
        OpenRouterInferenceEngine,
        ParasailInferenceEngine,
        RemoteVLLMInferenceEngine,
        SambanovaInferenceEngine,
        SGLangInferenceEngine,
        TogetherInferenceEngine,
        XAIInferenceEngine,
    )

__all__ = [
    "AnthropicInferenceEngine",
    "AzureOpenAIInferenceEngine",
    "BedrockInferenceEngine",
    "CerebrasInferenceEngine",
    "DeepSeekInferenceEngine",
    "FireworksInferenceEngine",
    "GoogleGeminiInferenceEngine",
    "GoogleVertexInferenceEngine",
    "GroqInferenceEngine",
    "HuggingFaceInferenceEngine",
    "InferenceEngine",
    "LambdaInferenceEngine",
    "LlamaCppInferenceEngine",
    "MistralInferenceEngine",
    "NativeTextInferenceEngine",
    "OllamaInferenceEngine",
    "OpenAIInferenceEngine",
    "OpenRouterInferenceEngine",
    "ParasailInferenceEngine",
    "RemoteInferenceEngine",
    "RemoteVLLMInferenceEngine",
    "SGLangInferenceEngine",
    "SambanovaInferenceEngine",
    "TogetherInferenceEngine",
    "VLLMInferenceEngine",
    "XAIInferenceEngine",
    "build_engine",
]


def __getattr__(name: str) -> Any:
    for row in ROWS.values():
        if row.class_name == name:
            return row.load_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
