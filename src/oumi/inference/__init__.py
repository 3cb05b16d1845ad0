"""The engines by their public names. Importing one never imports another's runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi.backends.registry import ROWS
from oumi.inference.build import build_engine, load_class
from oumi.inference.engine import InferenceEngine

if TYPE_CHECKING:
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
    from oumi.inference.local_engines import (
        LlamaCppInferenceEngine,
        NativeTextInferenceEngine,
        VLLMInferenceEngine,
    )
    from oumi.inference.remote_engine import RemoteInferenceEngine

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
            return load_class(row)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
