"""Equal rows, told apart by how many of them came before."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from oumi.core.digest import new_digest
from oumi.data.content import shaping_text
from oumi.data.source import Row

_FIRST_SLOTS = 1024
_FREE = 0


class EqualRows:
    """How many rows before a row are equal to it: the same messages, tools and settings of their
    own. It is found out when a row first comes up, and known from then on; 15 to 26 bytes a row.
    """

    def __init__(self) -> None:
        self._counts = HashCounts()
        self._repeats = array("I")  # of all rows that came up

    @property
    def known(self) -> int:
        """How many of the first rows came up."""
        return len(self._repeats)

    def number(self, rows: Iterator[Row]) -> Iterator[Row]:
        """The rows with their numbers. They begin with one that came up, or with the next one."""
        for row in rows:
            if row.index == self.known:
                content = _hash_of(row)
                self._repeats.append(0 if content is None else self._counts.add(content))
            repeat = self._repeats[row.index]
            yield row._replace(repeat=repeat) if repeat else row


class HashCounts:
    """How often each of many 64-bit hashes came: a table of open addresses, and the counts of those
    that came more than once.
    """

    def __init__(self) -> None:
        self._slots = array("Q", [_FREE]) * _FIRST_SLOTS
        self._used = 0
        self._more: dict[int, int] = {}

    def add(self, value: int) -> int:
        """Count a hash, and return how often it came before."""
        value = value or 1  # 0 marks a free slot
        at = self._slot(value)
        if self._slots[at] == value:
            before = self._more.get(value, 1)
            self._more[value] = before + 1
            return before
        self._slots[at] = value
        self._used += 1
        if 4 * self._used > 3 * len(self._slots):
            self._grow()
        return 0

    def _slot(self, value: int) -> int:
        """Where a hash stands, or is to stand."""
        slots, mask = self._slots, len(self._slots) - 1
        at = value & mask
        while slots[at] not in (_FREE, value):
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        old = self._slots
        self._slots = array("Q", [_FREE]) * (2 * len(old))
        for value in old:
            if value != _FREE:
                self._slots[self._slot(value)] = value


def _hash_of(row: Row) -> int | None:
    """A hash of what shapes the answer of a row; None for one that is not asked."""
    if row.conversation is None:
        return None
    digest = new_digest()
    try:
        digest.update(shaping_text(row.conversation))
    except ValueError:
        return None
    if row.generation is not None:
        digest.update(row.generation.model_dump_json(exclude_unset=True).encode())
    return int.from_bytes(digest.digest()[:8], "big")
