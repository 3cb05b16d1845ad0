"""A run: rows become tasks, a bounded number at a time, and every row ends as a value."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from oumi.data.source import Row
from oumi.errors import StorageError, UnavailableError
from oumi.runner.events import LimitsReported, Listener, RunEnded, Stopping
from oumi.runner.refusals import Refusals
from oumi.runner.row_task import RowTask
from oumi.runner.session import Session
from oumi.runner.stop_signal import RunStoppedError, StopSignal
from oumi.runner.storage.row_store import RowStore
from oumi.runner.wait_watch import WaitWatch

_TICK_S = 0.25  # often enough for a progress bar
_TICKS_PER_SYNC = 4  # a power cut loses about a second of answers


class Run:
    """One pass over the rows with at most `max_in_flight` of them begun and not ended.

    `stop` lets what is in flight finish, ends all waits, and begins nothing more. An error after
    which no other row can succeed does the same, and is raised by `run` once nothing is in flight.
    `refusals` judges which errors these are.
    """

    def __init__(
        self,
        session: Session,
        store: RowStore,
        notify: Listener,
        refusals: Refusals | None = None,
    ):
        self._session = session
        self._store = store
        self._notify = notify
        self._refusals = refusals or Refusals()
        self._waits = WaitWatch(session, notify)
        self._stop = StopSignal()
        self._in_flight = 0
        self._fatal: Exception | None = None

    @property
    def stopped(self) -> bool:
        """Whether no further row is begun."""
        return self._stop.is_set

    async def run(self, rows: Iterator[Row], max_in_flight: int) -> None:
        """Ask for all rows that are not recorded yet. Raises the error that ended the run."""
        ticking = asyncio.create_task(self._tick())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(max_in_flight):
                    group.create_task(self._work(rows))
        finally:
            ticking.cancel()
        self._report_limits()
        self._waits.end()
        self._notify(RunEnded())
        if self._fatal is not None:
            raise self._fatal

    def stop(self) -> None:
        """Begin no further row."""
        waiting = self._stop.set()
        self._notify(Stopping(self._in_flight - waiting))

    async def _work(self, rows: Iterator[Row]) -> None:
        """Take one row after the other from the rows that all workers share."""
        try:
            for row in rows:
                if self._stop.is_set:
                    return
                if self._store.holds(row.index):
                    continue
                self._in_flight += 1
                try:
                    self._notify(await self._task(row).run())
                finally:
                    self._in_flight -= 1
        except RunStoppedError:
            return
        except Exception as error:
            self._end_with(error)

    def _task(self, row: Row) -> RowTask:
        return RowTask(
            self._session, row, self._store, self._notify, self._stop, refusals=self._refusals
        )

    def _end_with(self, error: Exception) -> None:
        self._fatal = self._fatal or error
        self._stop.set()

    async def _tick(self) -> None:
        """Bring records to the disk and report the limiter's state while the run lasts."""
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_S)
            ticks += 1
            self._report_limits()
            try:
                self._waits.look()
            except UnavailableError as error:
                self._end_with(error)
            if ticks % _TICKS_PER_SYNC == 0:
                try:
                    await asyncio.to_thread(self._store.sync)
                except StorageError as error:
                    self._end_with(error)
                    return

    def _report_limits(self) -> None:
        self._notify(LimitsReported(self._session.limiter.status))
