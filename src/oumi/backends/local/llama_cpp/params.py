"""Model settings as parameters of llama.cpp's server."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import xllamacpp

from oumi.backends.local.llama_cpp.embedding import makes_embeddings
from oumi.backends.local.llama_cpp.gguf_header import Header
from oumi.backends.local.llama_cpp.gguf_metadata import read_special_tokens
from oumi.backends.local.llama_cpp.load_check import (
    check_files,
    check_settings,
    slots_that_fit,
)
from oumi.backends.local.llama_cpp.python_kwargs import KWARGS, set_kwarg
from oumi.backends.local.llama_cpp.settings import LOADING, PARAMETERS, SETTINGS_IN_KWARGS
from oumi.core.configs import EMBEDDED_MODEL, ModelParams
from oumi.core.names import did_you_mean
from oumi.errors import ConfigError

DEFAULT_SLOTS = 8
"""Requests at once. Each slot holds memory for a whole context, so more is the user's choice."""

DEFAULT_CONTEXT = 4096
"""Tokens of prompt and answer in one slot."""

# The embedded model is so small that a slot costs hardly any memory, and that a second thread loses
# more time by waiting for the first than it saves.
_EMBEDDED = {"n_parallel": 32, "n_threads": 1, "n_ctx": 2048}

# Parameters that are set from other settings, with the reason for an error message.
_RESERVED = {
    "embedding": "the engine sets it",
    "api_keys": "the engine sets it",
    "hostnames": "the engine sets it",
    "port": "the engine sets it",
    "model": "use model_name",
    "n_ctx": "use model_max_length",
    "load_in_4bit": "a GGUF file is quantized already; name another file",
    "load_in_8bit": "a GGUF file is quantized already; name another file",
    "quantization_config": "a GGUF file is quantized already; name another file",
    "chat_format": "use model.chat_template",
    "seed": "use generation.seed",
    "chat_template": "use model.chat_template",
    "media_path": "use allowed_media_path",
    "lora_adapters": "use adapter_model",
    "sampling": "use the generation settings",
    "force_pure_content_parser": "it would turn constraints off",
}

SCHEDULING = KWARGS | {"n_parallel", "n_threads", "n_threads_batch", "n_batch", "n_ubatch"}
"""Parameters that decide how fast an answer is generated, not what it is."""

_POOLING = xllamacpp.llama_pooling_type
_POOLINGS = {
    "mean": _POOLING.LLAMA_POOLING_TYPE_MEAN,
    "cls": _POOLING.LLAMA_POOLING_TYPE_CLS,
    "last": _POOLING.LLAMA_POOLING_TYPE_LAST,
}
"""What of a text's tokens is its vector, by the names of llama.cpp's command line."""

_ALIASES = {"n_threads", "n_threads_batch", "flash_attn", "mmproj", *KWARGS}
"""Names of llama-cpp-python and of llama.cpp's command line, which stand for other parameters."""


def make_params(
    model: ModelParams, api_key: str, *, embeds: bool = False
) -> xllamacpp.CommonParams:
    """The parameters for loading a model and serving it inside this process, to generate text or to
    embed it.

    Raises ConfigError for an unknown name or a wrong value in `model_kwargs`.
    """
    params = xllamacpp.CommonParams()
    embedded = _EMBEDDED if model.model_name == EMBEDDED_MODEL else {}
    facts = LOADING.encode(SimpleNamespace(model=model), model)
    check_settings(model.model_kwargs)
    named = facts.get("adapter_paths", [])
    adapters = [*([facts["adapter_path"]] if "adapter_path" in facts else []), *named]
    projector = model.model_kwargs.get("mmproj")
    header = check_files(Path(facts["path"]), [*map(Path, adapters)], projector)
    params.model.path = facts["path"]
    params.api_keys = [api_key]
    params.port = 0  # any free one: the server listens even if nobody calls it from outside
    params.ui = False
    params.endpoint_metrics = True  # for the check in Runtime that the server's loop runs
    params.n_threads_http = 1
    params.cache_ram_mib = 0  # a cache of old prompts, which would take up to 8 GiB
    params.verbosity = 0
    if "n_threads" in embedded:
        _set(params, "n_threads", embedded["n_threads"])
    for name in facts.keys() & {"n_gpu_layers", "chat_template"}:
        setattr(params, name, facts[name])
    # Where some have a name, each request says which one is applied.
    params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(path, 1.0) for path in adapters]
    if model.chat_template:
        params.default_template_kwargs = _absent_tokens(model.chat_template, Path(facts["path"]))
    for name, value in PARAMETERS.encode(SimpleNamespace(model=model)).items():
        _set(params, name, value)
    # llama.cpp divides the context among the slots.
    context = facts.get("context_length") or embedded.get("n_ctx", DEFAULT_CONTEXT)
    if embeds and (trained := header.number("context_length")):  # 512 tokens in many models
        context = min(context, trained)
    default = embedded.get("n_parallel", DEFAULT_SLOTS)
    params.n_parallel = slots_that_fit(header, context, model.model_kwargs, default)
    params.n_ctx = params.n_parallel * context
    if embeds:
        _set_embedding(params, header, context)
    return params


def _set_embedding(params: xllamacpp.CommonParams, header: Header, context: int) -> None:
    """Have texts embedded. Each is worked on at once, so that a batch holds a whole context."""
    params.embedding = True
    params.n_batch = params.n_ubatch = context
    is_open = params.pooling_type == _POOLING.LLAMA_POOLING_TYPE_UNSPECIFIED
    if is_open and not makes_embeddings(header):
        # Of a model for text. All its tokens together say more than the last one alone, whose
        # state is made for the token that comes next.
        params.pooling_type = _POOLING.LLAMA_POOLING_TYPE_MEAN


def _absent_tokens(template: str, path: Path) -> dict[str, str]:
    """Variables, as JSON, for special tokens that a template reads and the model does not have.

    In their place llama.cpp would write a token of the older models of this kind.
    """
    read = [name for name in ("bos_token", "eos_token") if name in template]
    known = read_special_tokens(path).named if read else {}
    return {name: '""' for name in read if name not in known}


def check_kwargs(model: ModelParams) -> None:
    """Raise ConfigError for an unknown name or a wrong value in `model_kwargs`, before any file of
    the model is there.
    """
    params = xllamacpp.CommonParams()
    for name, value in PARAMETERS.encode(SimpleNamespace(model=model)).items():
        _set(params, name, value)


def _set(params: Any, name: str, value: Any) -> None:
    _check_name(params, name)
    try:
        match name:
            case "n_threads":
                params.cpuparams.n_threads = params.cpuparams_batch.n_threads = value
            case "n_threads_batch":
                params.cpuparams_batch.n_threads = value
            case "flash_attn":
                types = xllamacpp.llama_flash_attn_type
                params.flash_attn_type = (
                    types.LLAMA_FLASH_ATTN_TYPE_ENABLED
                    if value
                    else types.LLAMA_FLASH_ATTN_TYPE_DISABLED
                )
            case "pooling_type":
                params.pooling_type = _POOLINGS[value]
            case "mmproj":
                params.mmproj.path = os.path.expanduser(value)
            case _ if name in KWARGS:
                set_kwarg(params, name, value)
            case _:
                setattr(params, name, value)
    except (TypeError, ValueError, AttributeError, OverflowError, KeyError) as error:
        raise ConfigError(f"model.model_kwargs.{name}: {value!r}: {error}") from error


def _check_name(params: Any, name: str) -> None:
    if name in _RESERVED:
        raise ConfigError(f"model.model_kwargs.{name}: {_RESERVED[name]}")
    known = {
        field for field in dir(params) if not field.startswith("_")
    } - _RESERVED.keys() | _ALIASES
    if name not in known:
        hint = did_you_mean(name, {*known, *SETTINGS_IN_KWARGS}, before="; ")
        raise ConfigError(f"model.model_kwargs.{name}: llama.cpp has no such parameter{hint}")
