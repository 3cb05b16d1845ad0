"""The engines by name."""

from __future__ import annotations

from enum import StrEnum


class InferenceEngineType(StrEnum):
    """Which engine answers."""

    LLAMACPP = "LLAMACPP"
    """llama.cpp on this machine, for GGUF files."""

    @classmethod
    def _missing_(cls, value: object) -> InferenceEngineType | None:
        return cls.__members__.get(str(value).upper())
