"""The engines by name."""

from __future__ import annotations

from enum import StrEnum


class InferenceEngineType(StrEnum):
    """Which engine answers."""

    LLAMACPP = "LLAMACPP"
    """llama.cpp on this machine, for GGUF files."""

    NATIVE = "NATIVE"
    """Transformers on this machine."""

    VLLM = "VLLM"
    """vLLM on this machine."""

    OPENAI = "OPENAI"
    """The OpenAI API."""

    ANTHROPIC = "ANTHROPIC"
    """The Anthropic API."""

    GOOGLE_GEMINI = "GOOGLE_GEMINI"
    """Google's Gemini API."""

    DEEPSEEK = "DEEPSEEK"
    """The DeepSeek API."""

    MISTRAL = "MISTRAL"
    """The Mistral API."""

    XAI = "XAI"
    """The xAI API."""

    AZURE = "AZURE"
    """OpenAI's models on Azure."""

    GOOGLE_VERTEX = "GOOGLE_VERTEX"
    """Google's Vertex AI."""

    BEDROCK = "BEDROCK"
    """Amazon Bedrock."""

    TOGETHER = "TOGETHER"
    """The Together API."""

    FIREWORKS = "FIREWORKS"
    """The Fireworks API."""

    PARASAIL = "PARASAIL"
    """The Parasail API."""

    SAMBANOVA = "SAMBANOVA"
    """The SambaNova API."""

    CEREBRAS = "CEREBRAS"
    """The Cerebras API."""

    GROQ = "GROQ"
    """The Groq API."""

    LAMBDA = "LAMBDA"
    """The Lambda API."""

    OPENROUTER = "OPENROUTER"
    """OpenRouter, before the APIs of many."""

    HUGGING_FACE_ROUTER = "HUGGING_FACE_ROUTER"
    """Hugging Face's router, before the APIs of many."""

    REMOTE = "REMOTE"
    """Any server that speaks the OpenAI chat API."""

    REMOTE_VLLM = "REMOTE_VLLM"
    """A vLLM server."""

    SGLANG = "SGLANG"
    """An SGLang server."""

    OLLAMA = "OLLAMA"
    """An Ollama server."""

    @classmethod
    def _missing_(cls, value: object) -> InferenceEngineType | None:
        name = str(value).upper()
        return cls.__members__.get(_OTHER_NAMES.get(name, name))


_OTHER_NAMES = {"GEMINI": "GOOGLE_GEMINI", "HUGGING_FACE": "HUGGING_FACE_ROUTER"}
"""Names that settings files of users have besides."""
