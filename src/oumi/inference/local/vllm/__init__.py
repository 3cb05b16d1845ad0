"""vLLM on this machine, through its asynchronous engine."""

from oumi.inference.local.vllm.engine import VLLMInferenceEngine

__all__ = ["VLLMInferenceEngine"]
