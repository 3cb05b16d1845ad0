"""Looks into a GGUF file's metadata, without the file's weights and without llama.cpp.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from oumi.errors import ModelNotFoundError

HEADER_BYTES = 24  # magic, version, number of tensors, number of keys
COUNT = struct.Struct("<Q")
TYPE = struct.Struct("<I")
STRING, _ARRAY = 8, 9

_TOKENS, _TOKEN_TYPES = b"tokenizer.ggml.tokens", b"tokenizer.ggml.token_type"
_CONTROL = 3  # llama.cpp's LLAMA_TOKEN_TYPE_CONTROL
_NAMED_IDS = {
    "bos": b"tokenizer.ggml.bos_token_id",
    "eos": b"tokenizer.ggml.eos_token_id",
    "unk": b"tokenizer.ggml.unknown_token_id",
    "pad": b"tokenizer.ggml.padding_token_id",
}
_BYTES_OF_TYPE = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


def read_text(path: Path, key: str) -> str | None:
    """The text under a key, or None where there is none. Takes a moment for a large vocabulary.

    Raises ModelNotFoundError for a file that is cut off or damaged.
    """
    with opened(path) as data:
        for name, kind, place in entries(data):
            if name == key.encode() and kind == STRING:
                return read_bytes(data, place)[0].decode()
    return None


@dataclass(frozen=True)
class SpecialVocabulary:
    """The special tokens of a model: all of them by their text, and those with a name."""

    texts: frozenset[str] = frozenset()
    named: Mapping[str, str] = field(default_factory=dict)
    """By the names that chat templates have for them, such as `bos_token`."""


def read_special_tokens(path: Path) -> SpecialVocabulary:
    """The special tokens in a file's vocabulary. Costs and raises as `read_text` does."""
    with opened(path) as data:
        found = {name: (kind, place) for name, kind, place in entries(data)}
        if _TOKENS not in found:
            return SpecialVocabulary()
        ids = {
            f"{name}_token": _number(TYPE, data, found[key][1])
            for name, key in _NAMED_IDS.items()
            if key in found
        }
        control = {n for n, kind in enumerate(_token_types(data, found)) if kind == _CONTROL}
        texts = _texts_of(data, found[_TOKENS][1], {*control, *ids.values()})
        return SpecialVocabulary(
            frozenset(texts[n] for n in control if n in texts),
            {name: texts[n] for name, n in ids.items() if n in texts},
        )


def _token_types(data: mmap.mmap, found: Mapping[bytes, tuple[int, int]]) -> Sequence[int]:
    """The type of each token, 32-bit numbers; none where the file does not say."""
    if _TOKEN_TYPES not in found:
        return ()
    place = found[_TOKEN_TYPES][1] + TYPE.size
    count = _number(COUNT, data, place)
    return struct.unpack_from(f"<{count}i", data, place + COUNT.size)


def _texts_of(data: mmap.mmap, place: int, wanted: Collection[int]) -> dict[int, str]:
    """The texts of some tokens of the vocabulary, an array of strings, by their ids."""
    count = _number(COUNT, data, place + TYPE.size)
    place += TYPE.size + COUNT.size
    texts = {}
    for number in range(count):
        text, place = read_bytes(data, place)
        if number in wanted:
            texts[number] = text.decode(errors="replace")
    return texts


@contextmanager
def opened(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file. What is wrong with them there becomes a ModelNotFoundError."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data
    except (OSError, ValueError, KeyError, IndexError, struct.error) as error:
        reason = "cannot load it: its metadata is cut off or damaged"
        raise ModelNotFoundError(f"{path}: llama.cpp {reason}") from error


def entries(data: mmap.mmap) -> Iterator[tuple[bytes, int, int]]:
    """The name of each key, the type of its value, and where that begins."""
    place = HEADER_BYTES
    for _ in range(_number(COUNT, data, HEADER_BYTES - COUNT.size)):
        name, place = read_bytes(data, place)
        kind = _number(TYPE, data, place)
        place += TYPE.size
        yield name, kind, place
        place = skip(data, place, kind)


def _number(form: struct.Struct, data: mmap.mmap, place: int) -> int:
    number: int = form.unpack_from(data, place)[0]
    return number


def read_bytes(data: mmap.mmap, place: int) -> tuple[bytes, int]:
    """A string, and the place after it."""
    end = skip(data, place, STRING)
    return data[place + COUNT.size : end], end


def skip(data: mmap.mmap, place: int, kind: int) -> int:
    """The place after a value."""
    if kind == STRING:
        return place + COUNT.size + _number(COUNT, data, place)
    if kind == _ARRAY:
        return _skip_array(data, place)
    return place + _BYTES_OF_TYPE[kind]


def _skip_array(data: mmap.mmap, place: int) -> int:
    kind, count = _number(TYPE, data, place), _number(COUNT, data, place + TYPE.size)
    place += TYPE.size + COUNT.size
    if kind != STRING:
        return place + count * _BYTES_OF_TYPE[kind]
    for _ in range(count):
        place = skip(data, place, STRING)
    return place
