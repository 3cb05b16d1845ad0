"""Finds by their keys what cannot be found by row numbers."""

from __future__ import annotations

from array import array
from bisect import bisect_right, insort
from collections.abc import Callable

_KEY_BITS = 63
_PART_BITS = 12
"""Keys are hashes, so they fall evenly into so many parts; of ten million, one part takes 2 ms to
sort."""


class KeyIndex:
    """Whole numbers by the key of 63 bits that `key_of` gives for each of them and that never
    changes: 4 bytes each where none is beyond `most`, below 2**31, else 8. A part of them is sorted
    when a key of it is first looked for.
    """

    def __init__(self, key_of: Callable[[int], int], most: int):
        code = "i" if most < 1 << 31 else "q"
        self._key_of = key_of
        self._parts = [array(code) for _ in range(1 << _PART_BITS)]
        self._is_sorted = bytearray(1 << _PART_BITS)

    def add(self, value: int) -> None:
        """Add a number."""
        at = _part_of(self._key_of(value))
        if self._is_sorted[at]:
            insort(self._parts[at], value, key=self._key_of)
        else:
            self._parts[at].append(value)

    def pop(self, key: int) -> int | None:
        """Take out a number with this key; None where there is none left."""
        part = self._sorted_part(_part_of(key))
        end = bisect_right(part, key, key=self._key_of)
        if end == 0 or self._key_of(part[end - 1]) != key:
            return None
        return part.pop(end - 1)

    def _sorted_part(self, at: int) -> array[int]:
        part = self._parts[at]
        if not self._is_sorted[at]:
            part[:] = array(part.typecode, sorted(part, key=self._key_of))
            self._is_sorted[at] = True
        return part


def _part_of(key: int) -> int:
    return key >> (_KEY_BITS - _PART_BITS)
