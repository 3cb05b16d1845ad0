"""Bins for numbers that are not known beforehand, in memory that does not grow with them."""

from __future__ import annotations

import math
from typing import Generic, Protocol, Self, TypeVar

_MOST_WIDTHS = 2.0**52
"""Beyond that a float would not say in which bin a number lies."""


class Mergeable(Protocol):
    """The content of a bin."""

    def merge(self, other: Self) -> None:
        """Take over what another one holds."""
        ...


BinT = TypeVar("BinT", bound=Mergeable)


class GrowingBins(Generic[BinT]):
    """At most `most` bins of equal width, each made by `new_bin`. Where a number lies outside, bins
    are merged two by two until their width, at first a power of two, is large enough.
    """

    def __init__(self, new_bin: type[BinT], width: float, most: int = 128):
        self.width = width
        self._most = most
        self._new_bin = new_bin
        self._bins: dict[int, BinT] = {}
        self._low = self._high = 0

    def at(self, number: float) -> BinT:
        """The bin of a number."""
        while abs(number) > self.width * _MOST_WIDTHS:
            self._double()
        at = math.floor(number / self.width)
        found = self._bins.get(at)
        return self._add(number, at) if found is None else found

    def _add(self, number: float, at: int) -> BinT:
        if not self._bins:
            self._low = self._high = at
        low, high = min(self._low, at), max(self._high, at)
        while high - low >= self._most:
            self._double()
            at = math.floor(number / self.width)
            low, high = min(self._low, at), max(self._high, at)
        self._low, self._high = low, high
        return self._bins.setdefault(at, self._new_bin())

    def _double(self) -> None:
        self.width *= 2
        self._low //= 2
        self._high //= 2
        merged: dict[int, BinT] = {}
        for at, content in self._bins.items():
            if (other := merged.get(at // 2)) is None:
                merged[at // 2] = content
            else:
                other.merge(content)
        self._bins = merged

    def items(self) -> list[tuple[float, BinT]]:
        """Where each bin that is not empty begins, and the bin, in order."""
        return [(at * self.width, self._bins[at]) for at in sorted(self._bins)]
