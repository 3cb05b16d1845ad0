"""The names of the engines of this package. They follow from the engines' rows."""

from __future__ import annotations

from enum import StrEnum


class InferenceEngineType(StrEnum):
    """Which engine answers."""

    # generated: engine-members
    LLAMACPP = "LLAMACPP"
    """llama.cpp on this machine, for GGUF files."""

    NATIVE = "NATIVE"
    """Transformers on this machine, for any text or vision model of the hub."""

    VLLM = "VLLM"
    """vLLM on this machine, for any model that it serves."""

    ANTHROPIC = "ANTHROPIC"
    """The Anthropic API."""

    AZURE = "AZURE"
    """OpenAI's models on Azure; `model_name` is the name of a deployment."""

    BEDROCK = "BEDROCK"
    """Amazon Bedrock."""

    CEREBRAS = "CEREBRAS"
    """The Cerebras API."""

    DEEPSEEK = "DEEPSEEK"
    """The DeepSeek API."""

    FIREWORKS = "FIREWORKS"
    """The Fireworks API."""

    GOOGLE_GEMINI = "GOOGLE_GEMINI"
    """Google's Gemini API."""

    GOOGLE_VERTEX = "GOOGLE_VERTEX"
    """Google's Vertex AI."""

    GROQ = "GROQ"
    """The Groq API."""

    HUGGING_FACE_ROUTER = "HUGGING_FACE_ROUTER"
    """Hugging Face's router, before the APIs of many."""

    LAMBDA = "LAMBDA"
    """The Lambda API."""

    MISTRAL = "MISTRAL"
    """The Mistral API."""

    OLLAMA = "OLLAMA"
    """An Ollama server."""

    OPENAI = "OPENAI"
    """The OpenAI API."""

    OPENROUTER = "OPENROUTER"
    """OpenRouter, before the APIs of many."""

    PARASAIL = "PARASAIL"
    """The Parasail API."""

    REMOTE = "REMOTE"
    """Any server that speaks the OpenAI chat API."""

    REMOTE_VLLM = "REMOTE_VLLM"
    """A vLLM server."""

    SAMBANOVA = "SAMBANOVA"
    """The SambaNova API."""

    SGLANG = "SGLANG"
    """An SGLang server."""

    TOGETHER = "TOGETHER"
    """The Together API."""

    XAI = "XAI"
    """The xAI API."""
    # end

    @classmethod
    def _missing_(cls, value: object) -> InferenceEngineType | None:
        name = str(value).upper()
        return cls.__members__.get(_ALIASES.get(name, name))


# Other names, which users have in their files.
# generated: engine-aliases
_ALIASES = {
    "GEMINI": "GOOGLE_GEMINI",
    "HUGGING_FACE": "HUGGING_FACE_ROUTER",
}
# end
