"""The engines behind an API, by name; what differs between them is their provider's row."""

from typing import ClassVar

from oumi.core.configs import InferenceEngineType
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
    "LambdaInferenceEngine",
    "MistralInferenceEngine",
    "OllamaInferenceEngine",
    "OpenAIInferenceEngine",
    "OpenRouterInferenceEngine",
    "ParasailInferenceEngine",
    "RemoteInferenceEngine",
    "RemoteVLLMInferenceEngine",
    "SGLangInferenceEngine",
    "SambanovaInferenceEngine",
    "TogetherInferenceEngine",
    "XAIInferenceEngine",
]


class OpenAIInferenceEngine(RemoteInferenceEngine):
    """The OpenAI API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.OPENAI


class AnthropicInferenceEngine(RemoteInferenceEngine):
    """The Anthropic API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.ANTHROPIC


class GoogleGeminiInferenceEngine(RemoteInferenceEngine):
    """Google's Gemini API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.GOOGLE_GEMINI


class DeepSeekInferenceEngine(RemoteInferenceEngine):
    """The DeepSeek API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.DEEPSEEK


class MistralInferenceEngine(RemoteInferenceEngine):
    """The Mistral API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.MISTRAL


class XAIInferenceEngine(RemoteInferenceEngine):
    """The xAI API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.XAI


class AzureOpenAIInferenceEngine(RemoteInferenceEngine):
    """OpenAI's models on Azure."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.AZURE


class GoogleVertexInferenceEngine(RemoteInferenceEngine):
    """Google's Vertex AI."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.GOOGLE_VERTEX


class BedrockInferenceEngine(RemoteInferenceEngine):
    """Amazon Bedrock."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.BEDROCK


class TogetherInferenceEngine(RemoteInferenceEngine):
    """The Together API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.TOGETHER


class FireworksInferenceEngine(RemoteInferenceEngine):
    """The Fireworks API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.FIREWORKS


class ParasailInferenceEngine(RemoteInferenceEngine):
    """The Parasail API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.PARASAIL


class SambanovaInferenceEngine(RemoteInferenceEngine):
    """The SambaNova API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.SAMBANOVA


class CerebrasInferenceEngine(RemoteInferenceEngine):
    """The Cerebras API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.CEREBRAS


class GroqInferenceEngine(RemoteInferenceEngine):
    """The Groq API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.GROQ


class LambdaInferenceEngine(RemoteInferenceEngine):
    """The Lambda API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.LAMBDA


class OpenRouterInferenceEngine(RemoteInferenceEngine):
    """OpenRouter, before the APIs of many."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.OPENROUTER


class HuggingFaceInferenceEngine(RemoteInferenceEngine):
    """Hugging Face's router, before the APIs of many."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.HUGGING_FACE_ROUTER


class RemoteVLLMInferenceEngine(RemoteInferenceEngine):
    """A vLLM server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.REMOTE_VLLM


class SGLangInferenceEngine(RemoteInferenceEngine):
    """An SGLang server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.SGLANG


class OllamaInferenceEngine(RemoteInferenceEngine):
    """An Ollama server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.OLLAMA
