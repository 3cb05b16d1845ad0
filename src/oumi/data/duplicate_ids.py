"""Conversations that have the same id: found by hashes, 8 bytes a row."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Container, Iterator

from oumi.data.source import Source


class IdHashes:
    """Hashes of ids, in 256 parts so that few of them are looked through at once."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(256)]

    def add(self, name: str) -> None:
        """Add an id."""
        value = hash(name)
        self._parts[value & 255].append(value)

    def duplicates(self) -> frozenset[int]:
        """The hashes that were added more than once."""
        return frozenset().union(*map(_duplicates, self._parts))


def find_duplicates(source: Source, hashes: Container[int]) -> Iterator[str]:
    """Where ids with these hashes stand a second time, in words."""
    first: dict[str, str] = {}
    for row in source.rows():
        name = row.conversation.conversation_id if row.conversation else None
        if name is None or row.sample or hash(name) not in hashes:
            continue
        place = source.place(row)
        if name in first:
            yield f"{place}: conversation_id {name!r} stands already at {first[name]}"
        first.setdefault(name, place)


def _duplicates(hashes: array[int]) -> set[int]:
    if len(set(hashes)) == len(hashes):  # quicker than counting
        return set()
    return {value for value, count in Counter(hashes).items() if count > 1}
