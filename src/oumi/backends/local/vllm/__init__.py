"""vLLM on this machine, through its asynchronous engine."""

import os

# vLLM tells a page of what it does at each start. Whoever wants to read it sets this to INFO.
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")

from oumi.backends.local.vllm.backend import VLLMInferenceEngine

__all__ = ["VLLMInferenceEngine"]
