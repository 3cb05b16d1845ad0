"""An event loop whose clock jumps to the next timer instead of waiting for it."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.lateness: Callable[[], float] = lambda: 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "deadlock: no timer is set"
            if timeout > 0:
                self.now_s += timeout + self.lateness()
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` is simulated; `lateness` gives the seconds that each wake-up comes late."""

    def __init__(self, lateness: Callable[[], float] = lambda: 0.0) -> None:
        self._virtual = _Selector()
        self._virtual.lateness = lateness
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


def run(work: Coroutine[Any, Any, ResultT], lateness: Callable[[], float] = lambda: 0.0) -> ResultT:
    """Run a coroutine in simulated time."""
    loop = VirtualLoop(lateness)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
