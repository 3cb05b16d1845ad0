"""The engines whose model runs on this machine, by name."""

from __future__ import annotations

from typing import ClassVar

from oumi.core.configs import InferenceEngineType
from oumi.inference.engine import InferenceEngine


class LlamaCppInferenceEngine(InferenceEngine):
    """GGUF models on this machine; `oumi-tiny`, which ships with the package, by default.

    Requests share the model's slots (`model_kwargs["n_parallel"]`) by continuous batching.
    """

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.LLAMACPP

    @property
    def asked(self) -> int:
        """How many requests llama.cpp was given so far."""
        asked: int = getattr(self._backend, "asked", 0)
        return asked


class NativeTextInferenceEngine(InferenceEngine):
    """Any text or vision model that Transformers loads; rows join and leave its steps."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.NATIVE


class VLLMInferenceEngine(InferenceEngine):
    """vLLM in a process of its own; its scheduler batches whatever is in flight."""

    engine_type: ClassVar[InferenceEngineType] = InferenceEngineType.VLLM
