"""The timer for the first start that waits in a queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class StartTimer:
    """Fires once, not much later than the earliest moment that it was set to.

    `min_s` is the shortest wait that is worth a timer, and how much later than asked it may fire.
    """

    __slots__ = ("_at_s", "_handle", "_min_s")

    def __init__(self, min_s: float):
        self._min_s = min_s
        self._handle: asyncio.TimerHandle | None = None
        self._at_s = 0.0

    def set(self, at_s: float, now_s: float, fire: Callable[[], None]) -> None:
        """Have `fire` called then; not again where it is called early enough anyway."""
        if self._handle is not None:
            if self._at_s <= at_s + self._min_s:
                return
            self._handle.cancel()
        delay_s = max(at_s - now_s, self._min_s)
        self._at_s = now_s + delay_s
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._fire, fire)

    def cancel(self) -> None:
        """Nobody waits any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self, fire: Callable[[], None]) -> None:
        self._handle = None
        fire()
