"""A model and its tokenizer, loaded by Transformers as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.configs.base import nearest
from oumi.errors import ConfigError, MissingDependencyError, ModelNotFoundError
from oumi.models import TINY

_DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
_KNOWN_KWARGS = frozenset(
    {
        *("cache_dir", "force_download", "local_files_only", "low_cpu_mem_usage", "max_memory"),
        *("offload_folder", "quantization_config", "subfolder", "token", "use_safetensors"),
        *("variant", "load_in_4bit", "load_in_8bit"),
    }
)


@dataclass(frozen=True)
class Loaded:
    """A model in evaluation mode, its tokenizer, and its longest context in tokens."""

    model: Any
    tokenizer: Any
    context: int


def load(model: ModelParams) -> Loaded:
    """Load a model. Raises ModelNotFoundError, or ConfigError for a setting that makes no sense."""
    name = str(TINY / "hf") if model.model_name == EMBEDDED_MODEL else model.model_name
    common = {"revision": model.model_revision, "trust_remote_code": model.trust_remote_code}
    common = {key: value for key, value in common.items() if value}
    args = _loading_args(model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            model.tokenizer_name or name, **common, **model.tokenizer_kwargs
        )
        loaded = AutoModelForCausalLM.from_pretrained(name, **common, **args)
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(
            f"{model.model_name}: Transformers cannot load it: {error}"
        ) from error
    if model.adapter_model:
        loaded = _with_adapter(loaded, model.adapter_model)
    _prepare(tokenizer, model)
    limit = getattr(loaded.config.get_text_config(), "max_position_embeddings", None)
    return Loaded(loaded.eval(), tokenizer, model.model_max_length or limit or 4096)


def _loading_args(model: ModelParams) -> dict[str, Any]:
    args: dict[str, Any] = {"dtype": _dtype(model.torch_dtype), "device_map": _device(model)}
    if model.attn_implementation:
        args["attn_implementation"] = model.attn_implementation
    for name, value in model.model_kwargs.items():
        _check_name(name)
        args[name] = value
    if args.pop("load_in_4bit", False):
        args["quantization_config"] = _quantization(load_in_4bit=True)
    if args.pop("load_in_8bit", False):
        args["quantization_config"] = _quantization(load_in_8bit=True)
    return args


def _dtype(name: str) -> Any:
    if name == "auto":
        return "auto"
    if name not in _DTYPES:
        raise ConfigError(f"model.torch_dtype: {name!r} is none of auto, {', '.join(_DTYPES)}")
    return _DTYPES[name]


def _device(model: ModelParams) -> str:
    if model.device_map and model.device_map != "auto":
        return model.device_map
    if torch.cuda.is_available():
        return "auto"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _quantization(**bits: bool) -> Any:
    try:
        import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("load_in_4bit needs: pip install bitsandbytes") from error
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(**bits)


def _check_name(name: str) -> None:
    if name not in _KNOWN_KWARGS:
        guess = nearest(name, _KNOWN_KWARGS)
        hint = f"; did you mean {guess!r}?" if guess else ""
        raise ConfigError(f"model.model_kwargs.{name}: Transformers has no such argument{hint}")


def _with_adapter(model: Any, adapter: str) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingDependencyError("adapter_model needs: pip install peft") from error
    try:
        return PeftModel.from_pretrained(model, adapter)
    except (OSError, ValueError) as error:
        raise ModelNotFoundError(f"{adapter}: PEFT cannot load this adapter: {error}") from error


def _prepare(tokenizer: Any, model: ModelParams) -> None:
    tokenizer.padding_side = "left"
    if model.tokenizer_pad_token:
        tokenizer.pad_token = model.tokenizer_pad_token
    elif tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if model.chat_template:
        tokenizer.chat_template = model.chat_template
