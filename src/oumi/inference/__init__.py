"""The engines by their public names. Importing one never imports another's runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi.backends.registry import find_engine
from oumi.inference.build import build_engine, load_class
from oumi.inference.engine import InferenceEngine

# generated: engine-names
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

_ENGINES = {
    "AnthropicInferenceEngine": "ANTHROPIC",
    "AzureOpenAIInferenceEngine": "AZURE",
    "BedrockInferenceEngine": "BEDROCK",
    "CerebrasInferenceEngine": "CEREBRAS",
    "DeepSeekInferenceEngine": "DEEPSEEK",
    "FireworksInferenceEngine": "FIREWORKS",
    "GoogleGeminiInferenceEngine": "GOOGLE_GEMINI",
    "GoogleVertexInferenceEngine": "GOOGLE_VERTEX",
    "GroqInferenceEngine": "GROQ",
    "HuggingFaceInferenceEngine": "HUGGING_FACE_ROUTER",
    "LambdaInferenceEngine": "LAMBDA",
    "LlamaCppInferenceEngine": "LLAMACPP",
    "MistralInferenceEngine": "MISTRAL",
    "NativeTextInferenceEngine": "NATIVE",
    "OllamaInferenceEngine": "OLLAMA",
    "OpenAIInferenceEngine": "OPENAI",
    "OpenRouterInferenceEngine": "OPENROUTER",
    "ParasailInferenceEngine": "PARASAIL",
    "RemoteInferenceEngine": "REMOTE",
    "RemoteVLLMInferenceEngine": "REMOTE_VLLM",
    "SGLangInferenceEngine": "SGLANG",
    "SambanovaInferenceEngine": "SAMBANOVA",
    "TogetherInferenceEngine": "TOGETHER",
    "VLLMInferenceEngine": "VLLM",
    "XAIInferenceEngine": "XAI",
}
# end


_ENGINES["HuggingFaceRouterInferenceEngine"] = "HUGGING_FACE_ROUTER"  # its name upstream


def __getattr__(name: str) -> Any:
    if name in _ENGINES:
        return load_class(find_engine(_ENGINES[name]))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
