"""The engines by their public names. Importing one never imports another's runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi.inference.engine import InferenceEngine
from oumi.inference.registry import ROWS, build_engine

if TYPE_CHECKING:
    from oumi.inference.local.llama_cpp import LlamaCppInferenceEngine
    from oumi.inference.local.native import NativeTextInferenceEngine
    from oumi.inference.local.vllm import VLLMInferenceEngine
    from oumi.inference.remote.engine import RemoteInferenceEngine
    from oumi.inference.remote.engines import (
        OpenAIInferenceEngine,
        RemoteVLLMInferenceEngine,
        SGLangInferenceEngine,
    )

__all__ = [
    "InferenceEngine",
    "LlamaCppInferenceEngine",
    "NativeTextInferenceEngine",
    "OpenAIInferenceEngine",
    "RemoteInferenceEngine",
    "RemoteVLLMInferenceEngine",
    "SGLangInferenceEngine",
    "VLLMInferenceEngine",
    "build_engine",
]


def __getattr__(name: str) -> Any:
    for row in ROWS.values():
        if row.class_name == name:
            return row.load_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
