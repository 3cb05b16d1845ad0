"""What is wrong with a model's weights: too many for the memory, or not all there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from oumi.backends.local.memory import cache_bytes, free_bytes
from oumi.core.configs import ModelParams
from oumi.errors import ConfigError, ModelNotFoundError

_GIB = 2**30
_MOST_NAMED = 3

# Rows seldom take the longest context of a model, and the cache grows only as they do.
_USUAL_CONTEXT = 4096


def check_memory(
    params: ModelParams, config: Any, args: Mapping[str, Any], auto_class: Any, context: int
) -> None:
    """Raise ConfigError, with the numbers, where a model and one row do not fit into what is free.

    Nothing is known of other devices than the CPU, nor of weights that are quantized.
    """
    is_quantized = "quantization_config" in args or hasattr(config, "quantization_config")
    if args["device_map"] != "cpu" or is_quantized:
        return
    with torch.device("meta"):  # shapes without memory
        model = auto_class.from_config(config, trust_remote_code=params.trust_remote_code)
    dtype = model.dtype if args["dtype"] == "auto" else args["dtype"]
    weights = model.num_parameters() * dtype.itemsize
    tokens = context if params.model_max_length else min(context, _USUAL_CONTEXT)
    needed, free = weights + cache_bytes(config, tokens, dtype.itemsize), free_bytes()
    if needed > free:
        raise ConfigError(
            f"{params.model_name}: its weights take {weights / _GIB:.1f} GiB as {dtype}, with the "
            f"cache of one row of {tokens:,} tokens {needed / _GIB:.1f} GiB, and "
            f"{free / _GIB:.1f} GiB are free: take a smaller model, or set model.torch_dtype to "
            "bfloat16, or lower model.model_max_length"
        )


def check_weights(name: str, found: Mapping[str, Any]) -> None:
    """Raise ModelNotFoundError for weights that lack in a model's files, or have another shape.

    `found` is what Transformers tells of a loaded model; in their place it puts random numbers.
    """
    if missing := sorted(found["missing_keys"]):
        raise ModelNotFoundError(
            f"{name}: its files lack {len(missing)} of the model's weights, such as "
            f"{', '.join(missing[:_MOST_NAMED])}: they are cut off, or of another model"
        )
    if mismatched := sorted(found["mismatched_keys"]):
        key, given, wanted = mismatched[0]
        raise ModelNotFoundError(
            f"{name}: {len(mismatched)} of the weights have another shape than its config.json "
            f"says, such as {key}: {tuple(given)} in place of {tuple(wanted)}"
        )
