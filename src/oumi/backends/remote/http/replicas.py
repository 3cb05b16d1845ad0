"""Replicas of one server: requests go where the least is in flight; one that fails is rested."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

_FIRST_REST_S = 1.0
_LONGEST_REST_S = 60.0


@dataclass
class Replica:
    """One server. After each failure in a row it is rested twice as long.

    Entered for each request.
    """

    base: str
    in_flight: int = 0
    failures: int = 0
    rests_until_s: float = 0.0

    def __enter__(self) -> Self:
        self.in_flight += 1
        return self

    def __exit__(self, *_: object) -> None:
        self.in_flight -= 1


class Replicas:
    """The servers behind an engine."""

    def __init__(self, bases: tuple[str, ...], clock: Callable[[], float] = time.monotonic):
        self._all = [Replica(base) for base in bases]
        self._clock = clock

    def pick(self) -> Replica:
        """The replica for the next request."""
        return self._all[0] if len(self._all) == 1 else self._pick()

    def failed(self, replica: Replica) -> None:
        """Rest a replica that could not be reached or broke down."""
        replica.failures += 1
        rest_s = min(_FIRST_REST_S * 2 ** (replica.failures - 1), _LONGEST_REST_S)
        replica.rests_until_s = self._clock() + rest_s

    def answered(self, replica: Replica) -> None:
        """Count a replica as well again."""
        replica.failures = 0
        replica.rests_until_s = 0.0

    def _pick(self) -> Replica:
        now_s = self._clock()
        awake = [replica for replica in self._all if replica.rests_until_s <= now_s]
        if not awake:
            return min(self._all, key=lambda replica: replica.rests_until_s)
        # One that failed is tried again with a single request, not with a flood.
        probing = [r for r in awake if r.failures and not r.in_flight]
        steady = [r for r in awake if not r.failures]
        return min(probing[:1] or steady or awake, key=lambda replica: replica.in_flight)
