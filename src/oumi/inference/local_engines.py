"""The engines whose model runs on this machine, by name."""

from __future__ import annotations

from typing import Any, ClassVar

from oumi.core.configs import GenerationParams, InferenceEngineType, ModelParams, RemoteParams
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

    def __init__(
        self,
        model_params: ModelParams | None = None,
        *,
        generation_params: GenerationParams | None = None,
        remote_params: RemoteParams | None = None,
        tool_call_parser: str | None = None,
        **engine_arguments: Any,
    ):
        """Further arguments are vLLM's own, such as `tensor_parallel_size` (-1: all graphics
        cards), laid over `model_kwargs`.
        """
        model = model_params or ModelParams()
        changes: dict[str, Any] = {}
        if engine_arguments:
            changes["model_kwargs"] = {**model.model_kwargs, **engine_arguments}
        if tool_call_parser is not None:
            changes["tool_call_parser"] = tool_call_parser
        super().__init__(
            model.merge(ModelParams(**changes)),
            generation_params=generation_params,
            remote_params=remote_params,
        )
