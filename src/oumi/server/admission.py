"""Whether a request is let in: a bounded queue before the limiter of a model."""

from __future__ import annotations

import time
from collections.abc import Callable

from oumi.errors import UnavailableError

_WEIGHT = 0.1
"""Of the newest request in the mean: some twenty of them are remembered."""
_FIRST_GUESS_S = 1.0


class Admission:
    """Counts the requests of a model that are in flight or wait for the limiter.

    At most `places` are worked on at once and `most_waiting` wait. Beyond that a client is sent
    away, with the time after which a place is likely to be free.
    """

    def __init__(self, places: int, most_waiting: int, clock: Callable[[], float] = time.monotonic):
        self.count = 0
        self._places = places
        self._most = places + most_waiting
        self._clock = clock
        self._mean_s = _FIRST_GUESS_S

    @property
    def waiting(self) -> int:
        """How many wait for others to end."""
        return max(self.count - self._places, 0)

    def admit(self, requests: int = 1) -> Places:
        """Places for as many requests, within `with`. Raises UnavailableError with status 429."""
        if self.count and self.count + requests > self._most:
            raise UnavailableError(
                f"{self.count} requests are being answered or wait already, and no more may wait",
                status=429,
                wait_s=self._mean_s * (self.waiting + requests) / self._places,
            )
        self.count += requests
        return Places(self, requests, self._clock())

    def end(self, places: Places) -> None:
        """The requests have ended."""
        self.count -= places.requests
        self._mean_s += _WEIGHT * (self._clock() - places.started_s - self._mean_s)


class Places:
    """Places of requests that were let in. A context manager."""

    __slots__ = ("_admission", "requests", "started_s")

    def __init__(self, admission: Admission, requests: int, started_s: float):
        self._admission = admission
        self.requests = requests
        self.started_s = started_s

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._admission.end(self)
