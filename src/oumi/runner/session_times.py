"""How retries and limits went over the time of one call."""

from __future__ import annotations

import time
from typing import Any, Self

from oumi.core.growing_bins import GrowingBins
from oumi.runner.limits.status import LimiterStatus

_SHORTEST_S = 1.0
_MOST_STRETCHES = 64
"""In `run.json` each is some lines, which people read."""


class _Stretch:
    """Some seconds of a call: its retries, and what the limiter said several times a second."""

    def __init__(self) -> None:
        self.retries = self.reports = self.in_flight = self.allowed = self.paced = 0
        self.rate_per_s = 0.0

    def merge(self, other: Self) -> None:
        """Take over what another one holds."""
        self.retries += other.retries
        self.reports += other.reports
        self.in_flight += other.in_flight
        self.allowed += other.allowed
        self.paced += other.paced
        self.rate_per_s += other.rate_per_s

    def add(self, status: LimiterStatus) -> None:
        """Take up what the limiter does at one moment."""
        self.reports += 1
        self.in_flight += status.in_flight
        self.allowed += status.allowed
        if status.rate_per_s is not None:
            self.paced += 1
            self.rate_per_s += status.rate_per_s

    def to_dict(self) -> dict[str, float]:
        """Retries, and of the limits their means; without what is not known."""
        known = {"retries": self.retries}
        means: dict[str, float] = {}
        if self.reports:
            means["in_flight"] = round(self.in_flight / self.reports, 1)
            means["allowed"] = round(self.allowed / self.reports, 1)
        if self.paced:
            means["rate_per_s"] = round(self.rate_per_s / self.paced, 3)
        return known | means


class SessionTimes:
    """Retries and limits of a call in at most 64 stretches of time, however long it takes."""

    def __init__(self) -> None:
        self._stretches = GrowingBins(_Stretch, _SHORTEST_S, _MOST_STRETCHES)

    def count_retry(self) -> None:
        """A try failed now, and another one follows."""
        self._stretches.at(time.time()).retries += 1

    def take(self, status: LimiterStatus) -> None:
        """What the limiter does now."""
        self._stretches.at(time.time()).add(status)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values; `at` in seconds since 1970."""
        stretches = [{"at": at, **one.to_dict()} for at, one in self._stretches.items()]
        return {"width_s": self._stretches.width, "stretches": stretches}
