"""Replicas of one server: requests go where the fewest are in flight; one that fails is rested."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Self

from oumi.backends.remote.http.transport_errors import TransportError
from oumi.core.forks import watch_forks

_FIRST_REST_S = 1.0
_LONGEST_REST_S = 60.0
_MOST_DOUBLINGS = 6  # 2 ** 6 s is longer than the longest rest; thousands would overflow a float


class Replica:
    """One server; a context manager around each request to it.

    After each failure in a row it is rested twice as long.
    """

    def __init__(self, base: str, clock: Callable[[], float]):
        self.base = base
        self.in_flight = 0
        self.failures = 0
        self.rests_until_s = 0.0
        self._clock = clock

    def __enter__(self) -> Self:
        self.in_flight += 1
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self.in_flight -= 1
        if error is not None and isinstance(error, TransportError):
            self._fail()

    def note_status(self, status: int) -> None:
        """Rest a replica that broke down, and count one that answered as healthy again."""
        if status == 200:
            self.failures = 0
            self.rests_until_s = 0.0
        elif status >= 500:
            self._fail()

    def _fail(self) -> None:
        self.failures += 1
        doublings = min(self.failures - 1, _MOST_DOUBLINGS)
        rest_s = min(_FIRST_REST_S * 2**doublings, _LONGEST_REST_S)
        self.rests_until_s = self._clock() + rest_s


class Replicas:
    """The servers behind an engine."""

    def __init__(self, bases: tuple[str, ...], clock: Callable[[], float] = time.monotonic):
        self._bases = bases
        self._clock = clock
        self.after_fork()
        watch_forks(self)

    def after_fork(self) -> None:
        """What is in flight is the parent's."""
        self._all = [Replica(base, self._clock) for base in self._bases]
        self._only = self._all[0] if len(self._all) == 1 else None

    def pick(self) -> Replica:
        """The replica for the next request."""
        return self._only or self._pick()

    @property
    def is_any_awake(self) -> bool:
        """Whether one of them is not resting after a failure."""
        now_s = self._clock()
        return any(replica.rests_until_s <= now_s for replica in self._all)

    def _pick(self) -> Replica:
        now_s = self._clock()
        awake = [replica for replica in self._all if replica.rests_until_s <= now_s]
        if not awake:
            return min(self._all, key=lambda replica: replica.rests_until_s)
        # One that failed is tried again with a single request, not with a flood.
        probing = [r for r in awake if r.failures and not r.in_flight]
        steady = [r for r in awake if not r.failures]
        return min(probing[:1] or steady or awake, key=lambda replica: replica.in_flight)
