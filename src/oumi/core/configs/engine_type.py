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

    REMOTE = "REMOTE"
    """Any server that speaks the OpenAI chat API."""

    REMOTE_VLLM = "REMOTE_VLLM"
    """A vLLM server."""

    SGLANG = "SGLANG"
    """An SGLang server."""

    @classmethod
    def _missing_(cls, value: object) -> InferenceEngineType | None:
        return cls.__members__.get(str(value).upper())
