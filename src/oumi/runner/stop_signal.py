"""How a run is stopped: nothing further begins, and whoever waits is woken."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class RunStoppedError(Exception):
    """The run was stopped before the row was asked for; not a failure of the row."""


class StopSignal:
    """Shared by the tasks of a run, all on one event loop."""

    __slots__ = ("_waiting", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._waiting: set[asyncio.Task[Any]] = set()

    def set(self) -> int:
        """Begin nothing further, and end all waits. Returns how many these were."""
        self.is_set = True
        waiting, self._waiting = self._waiting, set()
        for task in waiting:
            task.cancel()
        return len(waiting)

    async def ends(self, wait: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Await what holds nothing that is paid for. Raises RunStoppedError at a stop."""
        if self.is_set:
            wait.close()
            raise RunStoppedError
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  for the type checker
        self._waiting.add(task)
        try:
            return await wait
        except asyncio.CancelledError:
            # Cancelled by the signal alone, or by somebody else as well?
            if self.is_set and task not in self._waiting and task.uncancel() == 0:
                raise RunStoppedError from None
            raise
        finally:
            self._waiting.discard(task)
