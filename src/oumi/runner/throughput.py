"""Rows and tokens a second."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

_WINDOW_S = 20.0
"""Rates are averages over this time: long enough that they do not jump with each answer of some
seconds, short enough to follow a server that becomes slower."""


class _Sample(NamedTuple):
    time_s: float
    rows: int
    tokens: int


class Throughput:
    """Rows and tokens a second over the last `_WINDOW_S` seconds, of which there were none at
    `started_s`.
    """

    def __init__(self, started_s: float) -> None:
        self._samples = deque([_Sample(started_s, 0, 0)])

    def update(self, rows: int, tokens: int) -> None:
        """Add the counts of this moment. To be called before a rate is read."""
        self._samples.append(_Sample(time.monotonic(), rows, tokens))
        # The oldest sample is kept until the next one is as old as the window.
        while self._samples[-1].time_s - self._samples[1].time_s > _WINDOW_S:
            self._samples.popleft()

    @property
    def rows_per_s(self) -> float:
        """Rows that ended, a second."""
        return (self._samples[-1].rows - self._samples[0].rows) / self._elapsed_s

    @property
    def tokens_per_s(self) -> float:
        """Tokens of answers, a second."""
        return (self._samples[-1].tokens - self._samples[0].tokens) / self._elapsed_s

    @property
    def _elapsed_s(self) -> float:
        return max(self._samples[-1].time_s - self._samples[0].time_s, 1e-9)
