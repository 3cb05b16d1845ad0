"""What is wrong with a model, its adapter or its settings, found before llama.cpp loads them.

llama.cpp says of each mistake only that it cannot load the model, and takes memory until it is
killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oumi.backends.local.llama_cpp.gguf_header import Header, part_paths, read_header
from oumi.backends.local.memory import free_bytes
from oumi.backends.local.model_files import check_gguf
from oumi.errors import ConfigError, ModelNotFoundError

_MOST_SLOTS = 256  # llama.cpp's LLAMA_MAX_SEQ

# Bits of a number in a cache of this type, by its number in ggml. llama.cpp has caches of no other:
# https://github.com/ggml-org/llama.cpp/blob/master/common/arg.cpp (kv_cache_types)
_CACHE_BITS = {0: 32, 1: 16, 2: 4.5, 3: 5, 6: 5.5, 7: 6, 8: 8.5, 20: 4.5, 30: 16}
_FLOAT16 = 1

_GIB = 2**30


def check_files(model: Path, adapters: Sequence[Path], projector: str | None) -> Header:
    """The header of a model's file. Raises ModelNotFoundError for files that cannot be loaded."""
    header = read_header(model)
    part_paths(header)
    if header.values.get("general.type") == "adapter":
        raise ModelNotFoundError(f"{model}: an adapter, not a model: use adapter_model for it")
    for adapter in adapters:
        _check_adapter(adapter, header)
    if projector is not None:
        _check_projector(Path(projector).expanduser())
    return header


def check_settings(given: dict[str, Any]) -> None:
    """Raise ConfigError for numbers in `model_kwargs` that llama.cpp does not take."""
    slots = given.get("n_parallel")
    if isinstance(slots, int) and not 1 <= slots <= _MOST_SLOTS:
        raise ConfigError(f"model.model_kwargs.n_parallel: {slots} is not from 1 to {_MOST_SLOTS}")
    for name in ("cache_type_k", "cache_type_v"):
        kind = given.get(name)
        if isinstance(kind, int) and kind not in _CACHE_BITS:
            known = ", ".join(map(str, _CACHE_BITS))
            raise ConfigError(f"model.model_kwargs.{name}: {kind} is no type of a cache: {known}")


def slots_that_fit(header: Header, context: int, given: dict[str, Any], default: int) -> int:
    """How many slots of such a context there is memory for: as given, or `default` at most.

    Raises ConfigError, with the numbers, where it is not enough for those that were asked for, or
    for one.
    """
    if int(given.get("n_gpu_layers") or 0):  # the cache is then in the memory of a device
        return int(given.get("n_parallel") or default)
    free, each = free_bytes(), _slot_bytes(header, context, given)
    asked = given.get("n_parallel")
    slots = int(asked or max(min(default, free // max(each, 1)), 1))
    if each * slots > free:
        raise ConfigError(
            f"{header.path}: {slots} slots of {context:,} tokens need {each * slots / _GIB:.1f} "
            f"GiB for their cache, and {free / _GIB:.1f} GiB are free: lower "
            "model.model_max_length or model.model_kwargs.n_parallel"
        )
    return slots


def _slot_bytes(header: Header, context: int, given: dict[str, Any]) -> int:
    """The cache of one slot: keys and values of each token in each layer."""
    heads = header.number("attention.head_count")
    width = header.number("embedding_length") // heads if heads else 0
    kv_heads = header.number("attention.head_count_kv") or heads
    bits = 0.0
    for name, length in (("cache_type_k", "key_length"), ("cache_type_v", "value_length")):
        size = header.number(f"attention.{length}") or width
        bits += size * _CACHE_BITS.get(given.get(name, _FLOAT16), 16)
    return int(context * header.number("block_count") * kv_heads * bits / 8)


def _check_adapter(path: Path, model: Header) -> None:
    adapter = read_header(path)
    if adapter.values.get("general.type") != "adapter":
        raise ModelNotFoundError(f"{path}: no adapter: it is a {adapter.architecture} model")
    if adapter.architecture != model.architecture:
        raise ModelNotFoundError(
            f"{path}: an adapter of a {adapter.architecture} model, and {model.path.name} is a "
            f"{model.architecture} model"
        )


def _check_projector(path: Path) -> None:
    if not path.is_file():
        raise ModelNotFoundError(f"model.model_kwargs.mmproj: {path}: no such file")
    found = read_header(check_gguf(path))
    if found.architecture != "clip" and found.values.get("general.type") != "mmproj":
        raise ModelNotFoundError(
            f"model.model_kwargs.mmproj: {path}: no projector: it is a {found.architecture} model"
        )
