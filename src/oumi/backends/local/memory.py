"""How much memory is free on this machine, and how much a cache of keys and values takes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

_MEMINFO = Path("/proc/meminfo")
# A container's own limit and use: https://docs.kernel.org/admin-guide/cgroup-v2.html#memory
_LIMIT, _USED = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")


def free_bytes() -> int:
    """What can be had without another process having to give memory up.

    Where the system does not tell, as on macOS, it is all memory that there is.
    """
    return min(_available(), _left_in_container())


def cache_bytes(config: Any, tokens: int, number_bytes: int) -> int:
    """The keys and values of so many tokens; 0 where the model does not say what it needs.

    `config` is that of Transformers, `number_bytes` the size of a number in the cache.
    """
    text = config.get_text_config(decoder=True)
    heads = getattr(text, "num_attention_heads", 0) or 0
    kv_heads = getattr(text, "num_key_value_heads", None) or heads
    width = getattr(text, "head_dim", None) or (text.hidden_size // heads if heads else 0)
    layers = getattr(text, "num_hidden_layers", 0) or 0
    return int(2 * layers * kv_heads * width * number_bytes * tokens)


def _available() -> int:
    for line in _read(_MEMINFO).splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _left_in_container() -> int:
    limit, used = _read(_LIMIT).strip(), _read(_USED).strip()
    if not (limit.isdigit() and used.isdigit()):  # `max` stands for none
        return 2**63
    return max(int(limit) - int(used), 0)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""
