"""Keyword arguments of Transformers and llama.cpp as arguments of vLLM's engine.

Importing this loads no runtime. https://docs.vllm.ai/en/latest/features/quantization/
"""

from __future__ import annotations

from typing import Any

from oumi.core.configs import ModelParams
from oumi.errors import ConfigError

GGUF = "gguf"
_BITSANDBYTES = "bitsandbytes"
_QUANTIZED = frozenset({"load_in_4bit", "load_in_8bit", "quantization_config"})
TRANSLATED = _QUANTIZED | {"filename"}
"""The arguments that vLLM has under another name, or in another form."""


def is_gguf(model: ModelParams) -> bool:
    """Whether the model is a GGUF file, by its name or by `model_kwargs["filename"]`."""
    return "filename" in model.model_kwargs or ".gguf" in model.model_name.lower()


def check_gguf(model: ModelParams) -> None:
    """Raise ConfigError for a GGUF file that vLLM would take for something else, or cannot read by
    itself: it has the tokenizer from another place.
    """
    if not is_gguf(model):
        return
    name = str(model.model_kwargs.get("filename", model.model_name))
    if not name.lower().endswith(".gguf"):
        raise ConfigError(f"model.model_kwargs.filename: {name!r} is no .gguf file")
    if model.tokenizer_name in (None, model.model_name):
        raise ConfigError(
            f"{name}: VLLM takes the tokenizer of a GGUF file from the model that it was made of: "
            "name that in model.tokenizer_name"
        )


def translate_kwargs(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments under vLLM's own names. Raises ConfigError for what vLLM cannot honour."""
    rest = {name: value for name, value in kwargs.items() if name not in TRANSLATED}
    config = kwargs.get("quantization_config")
    if isinstance(config, dict) and "quant_method" not in config and not _is_bits(config):
        return rest | {"quantization_config": config}  # an argument of newer versions of vLLM
    flags = {name: kwargs[name] for name in _QUANTIZED - {"quantization_config"} & kwargs.keys()}
    return rest | _quantization({**(config or {}), **flags})


def _quantization(config: dict[str, Any]) -> dict[str, Any]:
    """vLLM's arguments for a `quantization_config` of Transformers."""
    if config.get("load_in_8bit"):
        raise ConfigError(
            "model.model_kwargs.load_in_8bit: VLLM quantizes to 4 bits by bitsandbytes; for 8 bits "
            "set quantization to fp8 in model_kwargs"
        )
    method = config.get("quant_method") or (_BITSANDBYTES if config.get("load_in_4bit") else None)
    if method is None:
        return {}
    args: dict[str, Any] = {"quantization": method}
    details = config.keys() - {"quant_method", *_QUANTIZED}
    if details:  # vLLM reads them where the model's own settings would have them
        args["hf_overrides"] = {"quantization_config": {"quant_method": method, **config}}
    return args


def _is_bits(config: dict[str, Any]) -> bool:
    return bool(_QUANTIZED & config.keys())
