"""vLLM on this machine, through its asynchronous engine."""

import os

# vLLM logs a page at each start. To read it, set this variable to INFO.
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")

from oumi.backends.local.vllm.backend import VLLMInferenceEngine

__all__ = ["VLLMInferenceEngine"]
