"""Keyword arguments of llama-cpp-python's `Llama` as parameters of llama.cpp's server.

https://llama-cpp-python.readthedocs.io/en/latest/api-reference/#llama_cpp.Llama.__init__
"""

from __future__ import annotations

from typing import Any

import xllamacpp

_MODES = xllamacpp.llama_load_mode
_MAPPED = (_MODES.LLAMA_LOAD_MODE_MMAP, _MODES.LLAMA_LOAD_MODE_MMAP_MLOCK)
_LOCKED = (_MODES.LLAMA_LOAD_MODE_MLOCK, _MODES.LLAMA_LOAD_MODE_MMAP_MLOCK)

# Levels of llama.cpp's log: 0 is output alone, 3 the default of its own programs.
_SILENT, _USUAL = 0, 3

KWARGS = frozenset({"low_vram", "offload_kqv", "use_mlock", "use_mmap", "verbose"})
"""The arguments that have no parameter of the same name."""


def set_kwarg(params: Any, name: str, value: Any) -> None:
    """Set what an argument of `KWARGS` means. Raises TypeError for a value that is no boolean."""
    if not isinstance(value, bool):
        raise TypeError("expected true or false")
    match name:
        case "low_vram":  # its cache of keys and values stays in the memory of the machine
            params.no_kv_offload = value
        case "offload_kqv":
            params.no_kv_offload = not value
        case "verbose":
            params.verbosity = _USUAL if value else _SILENT
        case "use_mmap":
            params.load_mode = _mode(is_mapped=value, is_locked=params.load_mode in _LOCKED)
        case "use_mlock":
            # As in llama.cpp, a file is mapped unless `use_mmap` says otherwise.
            is_mapped = params.load_mode in (_MODES.LLAMA_LOAD_MODE_AUTO, *_MAPPED)
            params.load_mode = _mode(is_mapped=is_mapped, is_locked=value)


def _mode(*, is_mapped: bool, is_locked: bool) -> Any:
    if is_mapped:
        return _MODES.LLAMA_LOAD_MODE_MMAP_MLOCK if is_locked else _MODES.LLAMA_LOAD_MODE_MMAP
    return _MODES.LLAMA_LOAD_MODE_MLOCK if is_locked else _MODES.LLAMA_LOAD_MODE_NONE
