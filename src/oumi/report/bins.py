"""Distributions of numbers that are not known beforehand, counted exactly in little memory."""

from __future__ import annotations

import math
from typing import Any, Generic, Protocol, Self, TypeVar

_MOST_BINS = 128
"""More bars than fit beside each other on a screen."""

_MOST_WIDTHS = 2.0**52
"""Beyond that a float would not say in which bin a number lies."""


class Mergeable(Protocol):
    """The content of a bin."""

    def merge(self, other: Self) -> None:
        """Take over what another one holds."""
        ...


BinT = TypeVar("BinT", bound=Mergeable)


class GrowingBins(Generic[BinT]):
    """At most 128 bins of equal width, each made by `new_bin`. Where a number lies outside, bins
    are merged two by two until their width, always a power of two, is large enough.
    """

    def __init__(self, new_bin: type[BinT], width: float):
        self.width = width
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
        while high - low >= _MOST_BINS:
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


class Count:
    """A bin that counts."""

    def __init__(self) -> None:
        self.count = 0

    def merge(self, other: Self) -> None:
        """Add the counts."""
        self.count += other.count


_FINEST = 2.0**-40
"""The width that bins of numbers begin with: finer than anything that a chart shows."""


class Numbers:
    """The distribution of numbers, with its range and mean."""

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0.0
        self._min, self._max = math.inf, -math.inf
        self._bins: GrowingBins[Count] = GrowingBins(Count, _FINEST)
        self._are_whole = True

    def add(self, number: float, times: int = 1) -> None:
        """Count a finite number. -1 times takes back one that was counted, but for the range."""
        self.count += times
        self._sum += times * number
        self._min, self._max = min(self._min, number), max(self._max, number)
        self._are_whole = self._are_whole and number == int(number)
        self._bins.at(number).count += times

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values; `bins` are pairs of where one begins and its count."""
        if not self.count:
            return {"count": 0}
        return {
            "count": self.count,
            "mean": self._sum / self.count,
            "min": self._min,
            "max": self._max,
            "whole": self._are_whole,
            "width": self._bins.width,
            "bins": [(start, one.count) for start, one in self._bins.items() if one.count],
        }
