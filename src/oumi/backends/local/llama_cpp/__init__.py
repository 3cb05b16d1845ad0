"""llama.cpp inside this process, through xllamacpp."""

from oumi.backends.local.llama_cpp.backend import LlamaCppInferenceEngine

__all__ = ["LlamaCppInferenceEngine"]
