"""The engines behind an API, a class each. They follow from the providers' rows."""

from typing import ClassVar

from oumi.core.configs import InferenceEngineType
from oumi.inference.remote_engine import RemoteInferenceEngine

# generated: engine-classes
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


class AnthropicInferenceEngine(RemoteInferenceEngine):
    """The Anthropic API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.ANTHROPIC


class AzureOpenAIInferenceEngine(RemoteInferenceEngine):
    """OpenAI's models on Azure; `model_name` is the name of a deployment."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.AZURE


class BedrockInferenceEngine(RemoteInferenceEngine):
    """Amazon Bedrock."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.BEDROCK


class CerebrasInferenceEngine(RemoteInferenceEngine):
    """The Cerebras API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.CEREBRAS


class DeepSeekInferenceEngine(RemoteInferenceEngine):
    """The DeepSeek API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.DEEPSEEK


class FireworksInferenceEngine(RemoteInferenceEngine):
    """The Fireworks API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.FIREWORKS


class GoogleGeminiInferenceEngine(RemoteInferenceEngine):
    """Google's Gemini API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.GOOGLE_GEMINI


class GoogleVertexInferenceEngine(RemoteInferenceEngine):
    """Google's Vertex AI."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.GOOGLE_VERTEX


class GroqInferenceEngine(RemoteInferenceEngine):
    """The Groq API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.GROQ


class HuggingFaceInferenceEngine(RemoteInferenceEngine):
    """Hugging Face's router, before the APIs of many."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.HUGGING_FACE_ROUTER


class LambdaInferenceEngine(RemoteInferenceEngine):
    """The Lambda API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.LAMBDA


class MistralInferenceEngine(RemoteInferenceEngine):
    """The Mistral API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.MISTRAL


class OllamaInferenceEngine(RemoteInferenceEngine):
    """An Ollama server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.OLLAMA


class OpenAIInferenceEngine(RemoteInferenceEngine):
    """The OpenAI API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.OPENAI


class OpenRouterInferenceEngine(RemoteInferenceEngine):
    """OpenRouter, before the APIs of many."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.OPENROUTER


class ParasailInferenceEngine(RemoteInferenceEngine):
    """The Parasail API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.PARASAIL


class RemoteVLLMInferenceEngine(RemoteInferenceEngine):
    """A vLLM server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.REMOTE_VLLM


class SambanovaInferenceEngine(RemoteInferenceEngine):
    """The SambaNova API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.SAMBANOVA


class SGLangInferenceEngine(RemoteInferenceEngine):
    """An SGLang server."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.SGLANG


class TogetherInferenceEngine(RemoteInferenceEngine):
    """The Together API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.TOGETHER


class XAIInferenceEngine(RemoteInferenceEngine):
    """The xAI API."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.XAI


# end
