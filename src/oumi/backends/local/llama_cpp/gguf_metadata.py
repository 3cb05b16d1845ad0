"""Looks into a GGUF file's metadata, without the file's weights and without llama.cpp.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oumi.errors import ModelNotFoundError

_HEADER_BYTES = 24  # magic, version, number of tensors, number of keys
_COUNT = struct.Struct("<Q")
_TYPE = struct.Struct("<I")
_STRING, _ARRAY = 8, 9
_BYTES_OF_TYPE = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def read_text(path: Path, key: str) -> str | None:
    """The text under a key, or None where there is none. Takes a moment for a large vocabulary.

    Raises ModelNotFoundError for a file that is cut off or damaged.
    """
    with _opened(path) as data:
        for name, kind, place in _entries(data):
            if name == key.encode() and kind == _STRING:
                return _read_bytes(data, place)[0].decode()
    return None


def has_key(path: Path, key: str) -> bool:
    """Whether there is a value under a key. Costs and raises as `read_text` does."""
    with _opened(path) as data:
        return any(name == key.encode() for name, _, _ in _entries(data))


@contextmanager
def _opened(path: Path) -> Iterator[mmap.mmap]:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
        reason = "cannot load it: its metadata is cut off or damaged"
        raise ModelNotFoundError(f"{path}: llama.cpp {reason}") from error


def _entries(data: mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """The name of each key, the type of its value, and where that begins."""
    place = _HEADER_BYTES
    for _ in range(_number(_COUNT, data, _HEADER_BYTES - _COUNT.size)):
        name, place = _read_bytes(data, place)
        kind = _number(_TYPE, data, place)
        place += _TYPE.size
        yield name, kind, place
        place = _skip(data, place, kind)


def _number(form: struct.Struct, data: mmap.mmap, place: int) -> int:
    number: int = form.unpack_from(data, place)[0]
    return number


def _read_bytes(data: mmap.mmap, place: int) -> tuple[bytes, int]:
    """A string, and the place after it."""
    end = _skip(data, place, _STRING)
    return data[place + _COUNT.size : end], end


def _skip(data: mmap.mmap, place: int, kind: int) -> int:
    """The place after a value."""
    if kind == _STRING:
        return place + _COUNT.size + _number(_COUNT, data, place)
    if kind == _ARRAY:
        return _skip_array(data, place)
    return place + _BYTES_OF_TYPE[kind]


def _skip_array(data: mmap.mmap, place: int) -> int:
    kind, count = _number(_TYPE, data, place), _number(_COUNT, data, place + _TYPE.size)
    place += _TYPE.size + _COUNT.size
    if kind != _STRING:
        return place + count * _BYTES_OF_TYPE[kind]
    for _ in range(count):
        place = _skip(data, place, _STRING)
    return place
