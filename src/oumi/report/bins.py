"""Distributions of numbers, counted exactly in little memory."""

from __future__ import annotations

import math
from typing import Any, Self

from oumi.core.growing_bins import GrowingBins


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
