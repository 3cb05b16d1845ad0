"""Model settings as arguments of vLLM's engine."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from transformers import AutoConfig

from oumi.backends.local.adapters import adapters_of, check_adapter, unknown_weights
from oumi.backends.local.vllm.cache_size import cache_args
from oumi.backends.local.vllm.settings import GUIDANCE, LOADING, SETTINGS_IN_KWARGS
from oumi.backends.local.vllm.transformers_kwargs import (
    GGUF,
    TRANSLATED,
    check_gguf,
    translate_kwargs,
)
from oumi.backends.local.vllm.versions import (
    QUANTIZATION_METHODS,
    AsyncEngineArgs,
    StructuredOutputsConfig,
    current_platform,
)
from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.names import did_you_mean
from oumi.errors import ConfigError, MissingDependencyError, ModelNotFoundError
from oumi.models import TINY

# Arguments that are set from other settings, with the reason for an error message.
_RESERVED = {
    "allowed_local_media_path": "use allowed_media_path",
    "allowed_media_domains": "use allowed_media_hosts",
    "model": "use model_name",
    "tokenizer": "use tokenizer_name",
    "dtype": "use torch_dtype",
    "max_model_len": "use model_max_length",
    "revision": "use model_revision",
    "trust_remote_code": "use model.trust_remote_code",
    "enable_lora": "use adapter_model",
}

SCHEDULING = frozenset(
    {
        "cpu_offload_gb",
        "disable_log_stats",
        "distributed_executor_backend",
        "enable_prefix_caching",
        "enforce_eager",
        "gpu_memory_utilization",
        "kv_cache_memory_bytes",
        "max_num_batched_tokens",
        "max_num_seqs",
        "pipeline_parallel_size",
        "tensor_parallel_size",
    }
)
"""Arguments that decide how fast and where an answer is generated, not what it is."""

_ALL_CARDS = -1
"""As `tensor_parallel_size`."""

# The values that vLLM takes for `max_lora_rank`.
_LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)


def engine_args(model: ModelParams) -> AsyncEngineArgs:
    """The arguments for loading a model.

    Raises ConfigError for a name in `model_kwargs` that vLLM does not know or a value that it
    refuses, ModelNotFoundError for an adapter without settings.
    """
    check_kwargs(model)
    try:
        args = AsyncEngineArgs(**_arguments(model, _known()))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"model: vLLM refuses these settings: {error}") from error
    if args.quantization == GGUF and GGUF not in QUANTIZATION_METHODS:
        raise MissingDependencyError(
            f"{model.model_name}: this version of vLLM reads GGUF files by a plugin: pip install "
            "vllm-gguf-plugin, or use the engine LLAMACPP"
        )
    return args


def check_kwargs(model: ModelParams) -> None:
    """Raise ConfigError for a name in `model_kwargs` that vLLM does not know, and for what it
    cannot honour, before any file of the model is there.
    """
    known = _known()
    for name in model.model_kwargs:
        _check_name(name, known)
    check_gguf(model)
    translate_kwargs(model.model_kwargs)


def _known() -> set[str]:
    """The names of vLLM's arguments."""
    return {field.name for field in dataclasses.fields(AsyncEngineArgs)}


def structured_outputs_config(model: ModelParams) -> StructuredOutputsConfig:
    """How vLLM constrains an answer to a schema or a grammar.

    The defaults differ from vLLM's own: its backend xgrammar lets control characters into strings
    of a bounded length, and optional white space between the parts of a JSON text lets models write
    endless runs of it.
    """
    given = model.model_kwargs.get("structured_outputs_config") or {}
    return StructuredOutputsConfig(**{"backend": GUIDANCE, "disable_any_whitespace": True, **given})


def _arguments(model: ModelParams, known: set[str]) -> dict[str, Any]:
    args: dict[str, Any] = {
        "enable_prefix_caching": True,
        "disable_log_stats": True,
        # We load what rows name, and vLLM is given the bytes. This is no host that there could be.
        "allowed_media_domains": ["none.invalid"],
        **_adapter_args(model),
        **cache_args(model, _read_config(model), on_cpu=current_platform.is_cpu()),
        **LOADING.encode(SimpleNamespace(model=model), model),
        "structured_outputs_config": structured_outputs_config(model),
    }
    if args.get("tensor_parallel_size") == _ALL_CARDS:
        args["tensor_parallel_size"] = max(torch.cuda.device_count(), 1)
    # None leaves the choice to vLLM. Names may be unknown to other versions of vLLM.
    return {name: value for name, value in args.items() if value is not None and name in known}


def _check_name(name: str, known: set[str]) -> None:
    if name in _RESERVED:
        raise ConfigError(f"model.model_kwargs.{name}: {_RESERVED[name]}")
    if name not in known | TRANSLATED:
        hint = did_you_mean(name, {*known, *TRANSLATED, *SETTINGS_IN_KWARGS}, before="; ")
        raise ConfigError(f"model.model_kwargs.{name}: vLLM has no such argument{hint}")


def _adapter_args(model: ModelParams) -> dict[str, Any]:
    """What vLLM has to know of LoRA adapters before it loads them: above all their rank."""
    adapters = adapters_of(model)
    if not adapters:
        return {}
    rank = max(map(_rank, adapters))
    for adapter in adapters:
        _check_weights(model, adapter)
    max_rank = next((allowed for allowed in _LORA_RANKS if allowed >= rank), rank)
    # With room for no more adapters than there are, vLLM on the CPU mixes up requests.
    return {"enable_lora": True, "max_lora_rank": max_rank, "max_loras": len(adapters) + 1}


def _rank(adapter: str) -> int:
    try:
        return int(json.loads(_adapter_settings(adapter).read_text("utf-8"))["r"])
    except (OSError, ValueError, KeyError) as error:
        reason = f"no adapter_config.json with a rank: {error}"
        raise ModelNotFoundError(f"{adapter}: {reason}") from error


def _read_config(model: ModelParams) -> Any:
    """The model's own settings; None where vLLM will say why they cannot be read."""
    name = str(TINY / "hf") if model.model_name == EMBEDDED_MODEL else model.model_name
    try:
        return AutoConfig.from_pretrained(
            name, revision=model.model_revision, trust_remote_code=model.trust_remote_code
        )
    except (OSError, ValueError, KeyError, ImportError):
        return None


def _check_weights(model: ModelParams, adapter: str) -> None:
    """Raise ModelNotFoundError where the names of an adapter's weights fit the model in part."""
    folder = TINY / "hf" if model.model_name == EMBEDDED_MODEL else Path(model.model_name)
    unknown = unknown_weights(Path(adapter).expanduser(), folder.expanduser())
    check_adapter(adapter, unknown=unknown, missing=())


def _adapter_settings(adapter: str) -> Path:
    folder = Path(adapter).expanduser()
    if folder.is_dir() or adapter.count("/") != 1:
        return folder / "adapter_config.json"
    return Path(hf_hub_download(adapter, "adapter_config.json"))
