"""How much memory vLLM's cache takes on a CPU, where vLLM by itself takes nearly all there is."""

from __future__ import annotations

import os
from typing import Any

from oumi.backends.local.memory import cache_bytes, free_bytes
from oumi.core.configs import ModelParams
from oumi.errors import ConfigError

_GIB = 2**30

# Enough for thousands of tokens of most models at once; more is the user's choice, by
# `model_kwargs.kv_cache_memory_bytes` or vLLM's own variable.
_DEFAULT_BYTES = _GIB

_VARIABLE = "VLLM_CPU_KVCACHE_SPACE"


def cache_args(model: ModelParams, config: Any, *, on_cpu: bool) -> dict[str, Any]:
    """The argument of vLLM for the size of its cache; none where it is set or vLLM knows better.

    `config` is the model's, as Transformers has it; None where it cannot be read. Raises
    ConfigError where not even one context fits into the memory that is free.
    """
    is_set = "kv_cache_memory_bytes" in model.model_kwargs or _VARIABLE in os.environ
    if is_set or not on_cpu:
        return {}
    free, context = free_bytes(), _context_bytes(model, config)
    if context > free:
        raise ConfigError(
            f"{model.model_name}: one context needs {context / _GIB:.1f} GiB for its cache, and "
            f"{free / _GIB:.1f} GiB are free: lower model.model_max_length"
        )
    return {"kv_cache_memory_bytes": max(min(_DEFAULT_BYTES, free // 2), context)}


def _context_bytes(model: ModelParams, config: Any) -> int:
    """Keys and values of a whole context; 0 where the model does not say what it needs."""
    if config is None:
        return 0
    text = config.get_text_config(decoder=True)
    longest = model.model_max_length or getattr(text, "max_position_embeddings", 0) or 0
    number = 4 if model.torch_dtype == "float32" or "32" in str(text.dtype) else 2
    # Blocks are of 128 tokens on a CPU, of which each request may leave one nearly empty.
    tokens = -(-longest // 128) * 128 + 128
    return cache_bytes(config, tokens, number) if longest else 0
