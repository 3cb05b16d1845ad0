"""Model settings as arguments of Transformers' `from_pretrained`."""

from __future__ import annotations

import importlib.util
from types import SimpleNamespace
from typing import Any

import torch

from oumi.backends.local.native.settings import LOADING, SETTINGS_IN_KWARGS
from oumi.core.configs import ModelParams
from oumi.core.names import did_you_mean
from oumi.errors import ConfigError, MissingDependencyError

_DTYPES = {name: getattr(torch, name) for name in ("float32", "float16", "bfloat16", "float64")}

# Short for a `quantization_config` of bitsandbytes.
_BITSANDBYTES_FLAGS = ("load_in_4bit", "load_in_8bit")

# The arguments of `from_pretrained` that no other setting decides. Names are checked here, so that
# a misspelt one is found before anything is loaded.
_KNOWN_KWARGS = frozenset(
    {
        *("cache_dir", "force_download", "local_files_only", "low_cpu_mem_usage", "max_memory"),
        *("offload_folder", "quantization_config", "subfolder", "token", "use_safetensors"),
        *("variant", *_BITSANDBYTES_FLAGS),
    }
)

_RESERVED = {
    "filename": "NATIVE loads the folder of a model, not a file; GGUF files are for LLAMACPP",
    "gguf_file": "NATIVE loads the folder of a model, not a file; GGUF files are for LLAMACPP",
}
"""Arguments that have no place here, with the reason for an error message."""


def loading_args(model: ModelParams) -> dict[str, Any]:
    """The arguments for loading a model's weights.

    Raises ConfigError for an unknown name or value, MissingDependencyError where quantized weights
    need a package.
    """
    for name in model.model_kwargs:
        _check_name(name)
    args = LOADING.encode(SimpleNamespace(model=model))
    args |= {"dtype": _dtype(args["dtype"]), "device_map": _device(args.get("device_map"))}
    flags = {name: True for name in _BITSANDBYTES_FLAGS if args.pop(name, False)}
    quantization = {**(args.pop("quantization_config", None) or {}), **flags}
    if quantization:
        args["quantization_config"] = _quantization(quantization)
    return args


def _dtype(name: str) -> Any:
    if name == "auto":
        return "auto"
    if name not in _DTYPES:
        raise ConfigError(f"model.torch_dtype: {name!r} is none of auto, {', '.join(_DTYPES)}")
    return _DTYPES[name]


def _device(name: str | None) -> str:
    if name and name != "auto":
        return _checked_device(name)
    if torch.cuda.is_available():
        return "auto"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _checked_device(name: str) -> str:
    device_type = name.partition(":")[0]
    is_available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not is_available.get(device_type, True):  # Transformers checks devices unknown here
        known = ", ".join(device for device, available in is_available.items() if available)
        raise ConfigError(f"model.device_map: no {name!r} here; there is: {known}")
    return name


def _quantization(settings: dict[str, Any]) -> Any:
    # Few models need these.
    from transformers import BitsAndBytesConfig
    from transformers.quantizers import AutoQuantizationConfig

    if "quant_method" in settings and not any(settings.get(name) for name in _BITSANDBYTES_FLAGS):
        return AutoQuantizationConfig.from_dict(settings)
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingDependencyError(
            "model.model_kwargs: weights of 4 or 8 bits need: pip install bitsandbytes"
        )
    return BitsAndBytesConfig(**settings)


def _check_name(name: str) -> None:
    if name in _RESERVED:
        raise ConfigError(f"model.model_kwargs.{name}: {_RESERVED[name]}")
    if name not in _KNOWN_KWARGS:
        hint = did_you_mean(name, {*_KNOWN_KWARGS, *SETTINGS_IN_KWARGS}, before="; ")
        raise ConfigError(f"model.model_kwargs.{name}: Transformers has no such argument{hint}")
