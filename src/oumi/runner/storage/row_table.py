"""A whole number for each row, in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

_NONE = 2**64 - 1
_LARGEST_GAP = 1_000_000  # 8 MB: a row number that is far from all others costs no more than that
_SPARE = 1024  # rows for which there is room already, as most come about in order


class RowTable:
    """Numbers below 2**64 - 1 by row: 8 bytes a row, whatever the largest row number is."""

    __slots__ = ("_dense", "_far")

    def __init__(self) -> None:
        self._dense = array("Q")
        self._far: dict[int, int] = {}  # of rows that are far beyond the others

    def __setitem__(self, row: int, value: int) -> None:
        try:
            self._dense[row] = value
        except IndexError:
            self._set_beyond(row, value)

    def _set_beyond(self, row: int, value: int) -> None:
        missing = row + 1 - len(self._dense)
        if missing > _LARGEST_GAP:
            self._far[row] = value
            return
        self._dense.extend(array("Q", [_NONE]) * (missing + _SPARE))
        self._dense[row] = value

    def __delitem__(self, row: int) -> None:
        if row < len(self._dense):
            self._dense[row] = _NONE
        self._far.pop(row, None)

    def get(self, row: int) -> int | None:
        """The row's number; None where it has none."""
        try:
            value = self._dense[row]
        except IndexError:
            value = _NONE
        return self._far.get(row) if value == _NONE else value

    @property
    def last(self) -> int:
        """The largest row that ever had a number, or a little more."""
        return max(len(self._dense), *self._far, 0)

    def items(self) -> Iterator[tuple[int, int]]:
        """The rows with their numbers."""
        for row, value in enumerate(self._dense):
            if value != _NONE:
                yield row, value
        for row, value in self._far.items():
            if row >= len(self._dense) or self._dense[row] == _NONE:
                yield row, value
