"""llama.cpp inside this process, through xllamacpp."""

from oumi.inference.local.llama_cpp.engine import LlamaCppInferenceEngine

__all__ = ["LlamaCppInferenceEngine"]
