"""All imports from vLLM that differ between its versions, in one place."""

from __future__ import annotations

import os

from oumi.errors import MissingDependencyError

OLDEST = "0.31"
"""The oldest version of vLLM that the tests passed with."""

# vLLM logs a page at each start. Whoever wants to read it sets this to INFO.
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")

try:
    from vllm import PoolingParams, SamplingParams
    from vllm.config import StructuredOutputsConfig
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest
    from vllm.lora.request import LoRARequest
    from vllm.model_executor.layers.quantization import QUANTIZATION_METHODS
    from vllm.parser import ParserManager
    from vllm.platforms import current_platform
    from vllm.reasoning import ReasoningParserManager
    from vllm.renderers import ChatParams
    from vllm.renderers.hf import HfRenderer, resolve_chat_template
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams
    from vllm.tool_parsers import ToolParserManager
    from vllm.usage.usage_lib import UsageContext
    from vllm.v1.engine.async_llm import AsyncLLM
    from vllm.v1.engine.exceptions import EngineDeadError
except ImportError as error:
    import vllm

    version = getattr(vllm, "__version__", "of an unknown version")
    raise MissingDependencyError(
        f"VLLM needs vLLM {OLDEST} or later; vLLM {version} is installed ({error})"
    ) from error

__all__ = [
    "QUANTIZATION_METHODS",
    "AsyncEngineArgs",
    "AsyncLLM",
    "ChatCompletionRequest",
    "ChatParams",
    "EngineDeadError",
    "HfRenderer",
    "LoRARequest",
    "ParserManager",
    "PoolingParams",
    "ReasoningParserManager",
    "RequestOutputKind",
    "SamplingParams",
    "StructuredOutputsConfig",
    "StructuredOutputsParams",
    "ToolParserManager",
    "UsageContext",
    "current_platform",
    "resolve_chat_template",
]
