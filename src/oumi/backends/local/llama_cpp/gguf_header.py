"""What a GGUF file says of itself: its single values, and how long it has to be.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oumi.backends.local.llama_cpp.gguf_metadata import (
    COUNT,
    HEADER_BYTES,
    STRING,
    TYPE,
    entries,
    opened,
    read_bytes,
    skip,
)
from oumi.errors import ModelNotFoundError

# How single values are stored, by the number of their type.
_FORMS = {
    **{0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"},
    **{10: "<Q", 11: "<q", 12: "<d"},
}

_ALIGNMENT = 32
"""Tensors begin at multiples of this, unless the file says otherwise."""

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
"""How the name of a part ends: https://github.com/ggml-org/llama.cpp/tree/master/tools/gguf-split"""


@dataclass(frozen=True)
class Header:
    """The values of a file that are no arrays, by name, and the place of its last tensor."""

    path: Path
    values: dict[str, Any]
    last_tensor: int

    @property
    def architecture(self) -> str:
        """The kind of model, such as `llama`; empty where the file does not say."""
        return str(self.values.get("general.architecture", ""))

    def number(self, name: str) -> int:
        """A number about this architecture, such as `block_count`; 0 where there is none."""
        value = self.values.get(f"{self.architecture}.{name}")
        return int(value) if isinstance(value, int | float) else 0


def read_header(path: Path) -> Header:
    """Read a file's header.

    Raises ModelNotFoundError for a file that is damaged, or cut off in its weights.
    """
    with opened(path) as data:
        values, place = {}, HEADER_BYTES
        for name, kind, at in entries(data):
            place = skip(data, at, kind)
            if kind == STRING or kind in _FORMS:
                values[name.decode(errors="replace")] = _value(data, at, kind)
        header = Header(path, values, _last_tensor(data, place, values))
        size = len(data)
    if header.last_tensor >= size:
        raise ModelNotFoundError(
            f"{path}: the file is cut off: it has {size:,} bytes, and its last weights begin after "
            f"{header.last_tensor:,}"
        )
    return header


def _value(data: mmap.mmap, place: int, kind: int) -> Any:
    if kind == STRING:
        return read_bytes(data, place)[0].decode(errors="replace")
    return struct.unpack_from(_FORMS[kind], data, place)[0]


def part_paths(header: Header) -> list[Path]:
    """The files of a model that was split into parts, this one first; it alone for any other.

    Raises ModelNotFoundError for a part that is missing, and where this is not the first one.
    """
    count = int(header.values.get("split.count", 0))
    if count <= 1:
        return [header.path]
    if number := int(header.values.get("split.no", 0)):
        raise ModelNotFoundError(
            f"{header.path}: part {number + 1} of {count} of a model; name the first one: "
            f"{_part(header.path, 1, count).name}"
        )
    paths = [_part(header.path, n, count) for n in range(1, count + 1)]
    for number, path in enumerate(paths, 1):
        if not path.is_file():
            raise ModelNotFoundError(f"{path}: part {number} of {count} of the model is missing")
    return paths


def _part(path: Path, number: int, count: int) -> Path:
    return path.with_name(_PART.sub(f"-{number:05}-of-{count:05}.gguf", path.name))


def _last_tensor(data: mmap.mmap, place: int, values: dict[str, Any]) -> int:
    """Where the last tensor begins in the file; 0 where there is none."""
    (count,) = COUNT.unpack_from(data, HEADER_BYTES - 2 * COUNT.size)
    last = 0
    for _ in range(count):
        place = skip(data, place, STRING)
        (dimensions,) = TYPE.unpack_from(data, place)
        place += TYPE.size + dimensions * COUNT.size + TYPE.size
        last = max(last, COUNT.unpack_from(data, place)[0])
        place += COUNT.size
    alignment = int(values.get("general.alignment", _ALIGNMENT)) or _ALIGNMENT
    start = -(-place // alignment) * alignment
    return start + last if count else 0
