"""Where the record of each row begins in a journal, and which answers are left to be claimed.

Most rows keep their numbers from run to run. So there is one entry under each number, 8 bytes and 8
more for a key: either an answer that an earlier run has recorded under it, as long as no row has
claimed that, or the record of this run's row. An answer that has to make way there, for a later
one of the same number or for the record of another row, is displaced: it goes to a second table.
Displaced answers, and an index by key, are there only where rows have changed or moved.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection
from itertools import compress

from oumi.runner.storage.key_index import KeyIndex
from oumi.runner.storage.row_table import RowTable

_FREE, _VALID = 1, 2
"""The lowest bits of an entry, above which stands a place: that of an answer that is unclaimed, or
of one that is known to be valid."""
_FLAG_BITS = 2
_UNUSED_BITS = 1
"""Of a key: a `RowTable` does not hold the largest number of 64 bits."""


class RecordTable:
    """Records of earlier runs are added first. Then the rows of this one claim answers, and have
    places set. Keys are numbers of 64 bits, places are offsets in the journal.
    """

    def __init__(self) -> None:
        self._entries = RowTable()
        self._keys = RowTable()  # of the answers that were added last under each number
        self._displaced_keys, self._displaced_places = array("Q"), array("Q")
        self._index: KeyIndex | None = None  # of all unclaimed answers, made when needed
        self._failures = array("Q")  # of each failure its row and its place
        self._last_failures: RowTable | None = None  # the same by row, made when needed
        self.unclaimed = 0
        """How many answers of earlier runs no row of this one has claimed."""

    def add_answer(self, row: int, key: int, place: int) -> None:
        """Add an answer of an earlier run."""
        if (entry := self._entries.get(row)) is not None:
            self._make_way(row, entry)
        self._entries[row] = place << _FLAG_BITS | _FREE
        self._keys[row] = key >> _UNUSED_BITS
        self.unclaimed += 1

    def add_failure(self, row: int, place: int) -> None:
        """Add a failure of an earlier run."""
        self._failures.extend((row, place))

    def drop_at(self, row: int, place: int) -> bool:
        """Drop the answer at a place, if it is the last one that was added under this number."""
        if self._entries.get(row) != place << _FLAG_BITS | _FREE:
            return False
        del self._entries[row]
        self.unclaimed -= 1
        return True

    def drop(self, places: Collection[int]) -> None:
        """Drop the answers at these places, whatever their numbers are, in a pass over all."""
        dropped = frozenset(places)
        entries = self._entries.items()
        found = [row for row, entry in entries if entry >> _FLAG_BITS in dropped]
        for row in found:
            del self._entries[row]
        is_kept = bytearray(place not in dropped for place in self._displaced_places)
        self.unclaimed -= len(found) + is_kept.count(False)
        self._displaced_keys = array("Q", compress(self._displaced_keys, is_kept))
        self._displaced_places = array("Q", compress(self._displaced_places, is_kept))

    def claim(self, row: int, key: int) -> bool:
        """Give a row the answer with its key: that of its number, else any other."""
        if not self.unclaimed:
            return False
        key, entry = key >> _UNUSED_BITS, self._entries.get(row)
        if entry is not None and entry & _FREE and self._keys.get(row) == key:
            self._entries[row] = entry ^ _FREE
        elif (taken := self._take(key)) is not None:
            self[row] = taken
        else:
            return False
        self.unclaimed -= 1
        if not self.unclaimed:
            self._forget_keys()
        return True

    def claim_failure(self, row: int) -> bool:
        """Give a row the last failure that was added under its number."""
        if self._last_failures is None:
            self._last_failures = RowTable()
            for failed, place in zip(self._failures[::2], self._failures[1::2], strict=True):
                self._last_failures[failed] = place
        if (last := self._last_failures.get(row)) is None:
            return False
        self[row] = last
        return True

    def get(self, row: int) -> int | None:
        """Where the record of a row of this run begins; None where it has none."""
        entry = self._entries.get(row)
        return None if entry is None or entry & _FREE else entry >> _FLAG_BITS

    def find(self, row: int) -> tuple[int, bool] | None:
        """The same, and whether the record was noted as a valid answer."""
        entry = self._entries.get(row)
        if entry is None or entry & _FREE:
            return None
        return entry >> _FLAG_BITS, entry & _VALID != 0

    def note_valid(self, row: int) -> None:
        """Note that the record of a row is an answer that was judged, and is valid as it is."""
        entry = self._entries.get(row)
        if entry is not None:
            self._entries[row] = entry | _VALID

    def __setitem__(self, row: int, place: int) -> None:
        if self.unclaimed and (entry := self._entries.get(row)) is not None:
            self._make_way(row, entry)
        self._entries[row] = place << _FLAG_BITS

    def _make_way(self, row: int, entry: int) -> None:
        """Displace an answer whose number gets another record, if it is unclaimed."""
        if not entry & _FREE:
            return
        self._displaced_keys.append(self._key_of(row))
        self._displaced_places.append(entry >> _FLAG_BITS)
        if self._index is not None:
            self._index.add(-len(self._displaced_keys))

    def _take(self, key: int) -> int | None:
        """The place of an unclaimed answer with a key, which is no longer found after that."""
        if self._index is None:
            self._index = self._new_index()
        while (found := self._index.pop(key)) is not None:
            if found < 0:
                return self._displaced_places[-found - 1]
            entry = self._entries.get(found)
            if entry is not None and entry & _FREE:  # else it was claimed, or displaced
                del self._entries[found]
                return entry >> _FLAG_BITS
        return None

    def _new_index(self) -> KeyIndex:
        """The unclaimed answers: by their numbers, or those that are displaced by -1 for the first
        of them, -2 for the next.
        """
        index = KeyIndex(self._key_of, self._entries.last)
        for row, entry in self._entries.items():
            if entry & _FREE:
                index.add(row)
        for count in range(1, len(self._displaced_keys) + 1):
            index.add(-count)
        return index

    def _key_of(self, answer: int) -> int:
        key = self._displaced_keys[-answer - 1] if answer < 0 else self._keys.get(answer)
        assert key is not None  # noqa: S101  for the type checker
        return key

    def _forget_keys(self) -> None:
        """Every answer is claimed, so that nothing is looked for any more."""
        self._keys, self._index = RowTable(), None
        self._displaced_keys, self._displaced_places = array("Q"), array("Q")
