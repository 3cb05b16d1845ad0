"""A run: rows become tasks, a bounded number at a time, and every row ends as a value."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import Protocol

from oumi.data.source import Row, Source
from oumi.errors import OumiError, UnavailableError
from oumi.runner.batch_phase import BatchPhase
from oumi.runner.cache.opening import opened_cache
from oumi.runner.events import (
    Event,
    LimitsReported,
    Listener,
    RowDone,
    RowFailed,
    RowRetried,
    RunEnded,
    Stopping,
    WorkersReported,
)
from oumi.runner.limits.budget import Budget
from oumi.runner.refusals import Refusals
from oumi.runner.row_context import RowContext
from oumi.runner.row_queue import RowQueue
from oumi.runner.row_task import RowTask
from oumi.runner.session import Session
from oumi.runner.stop_signal import RunStoppedError
from oumi.runner.storage.row_store import RowStore
from oumi.runner.wait_watch import WaitWatch

_TICK_S = 0.25  # often enough for a progress bar
_TICKS_PER_SYNC = 4  # a power cut loses about a second of answers


class Task(Protocol):
    """Answers a row."""

    async def run(self) -> RowDone | RowFailed:
        """Ask until the row has an answer or has failed; either way it is recorded."""
        ...


class Run:
    """Asks the rows of a queue: as many at once as the limiter may let start, and one more for each
    that waits for a retry, but at most the session's `max_in_flight`. More would only queue up.
    What is left of the input is checked meanwhile.

    `stop` lets what is in flight finish, ends all waits, and begins nothing more. An error after
    which no other row can succeed does the same, and is raised by `run` once nothing is in flight.
    `refusals` judges which errors these are. Where the `budget` has no more rows, those that were
    begun are finished.
    """

    def __init__(
        self,
        session: Session,
        store: RowStore,
        queue: RowQueue,
        notify: Listener,
        refusals: Refusals,
        budget: Budget | None = None,
    ):
        self._session = session
        self._store = store
        self._queue = queue
        self._counts = queue.counts  # as they were said last
        self._notify = notify
        self._budget = budget
        self._waits = WaitWatch(session, notify)
        self._context = RowContext(self._notify_row, refusals=refusals, budget=budget)
        self._stop = self._context.stop
        self._workers = asyncio.TaskGroup()
        self._num_workers = 0
        self._in_flight = 0
        self._fatal: Exception | None = None

    async def run_batch(self, phase: BatchPhase, source: Source) -> None:
        """Have a batch job answer rows first. A stop ends the wait for it."""
        self._in_flight += 1  # one that waits, as `stop` counts
        try:
            with contextlib.suppress(RunStoppedError):
                await phase.run(source, self._store, self._notify, self._stop)
        finally:
            self._in_flight -= 1

    @property
    def stopped(self) -> bool:
        """Whether no further row is begun."""
        return self._stop.is_set

    async def run(self) -> None:
        """Ask for all rows that are not recorded yet. Raises the error that ended the run."""
        session = self._session
        ticking = asyncio.create_task(self._tick())
        checking = asyncio.create_task(self._check_ahead())
        try:
            async with (
                opened_cache(session.config, session.name, session.url) as cache,
                self._workers,
            ):
                self._context = replace(self._context, cache=cache)
                for _ in range(self._queue.workers(session.limiter.limits.in_flight)):
                    self._begin_worker()
            if not self._stop.is_set and self._fatal is None:
                await checking
        finally:
            ticking.cancel()
            checking.cancel()
        self._report()
        self._waits.end()
        self._notify(RunEnded())
        if self._fatal is not None:
            raise self._fatal

    def stop(self) -> None:
        """Begin no further row."""
        waiting = self._stop.set()
        self._notify(Stopping(self._in_flight - waiting))

    def _begin_worker(self) -> None:
        if self._num_workers < self._session.max_in_flight:
            self._num_workers += 1
            self._workers.create_task(self._work())

    async def _work(self) -> None:
        """Take one row after the other from the queue that all workers share."""
        try:
            while (row := await self._queue.next()) is not None:
                if self._stop.is_set:
                    return
                if not self._allows(row):
                    return
                self._in_flight += 1
                try:
                    self._notify(await self._task(row).run())
                finally:
                    self._in_flight -= 1
        except RunStoppedError:
            return
        except Exception as error:
            self._end_with(error)

    def _allows(self, row: Row) -> bool:
        """Whether the budget has a row left; else the run ends once those in flight have."""
        if self._budget is None or self._budget.allows_row(row.index):
            return True
        self._fatal = self._fatal or self._budget.rows_error()
        return False

    async def _check_ahead(self) -> None:
        try:
            await self._queue.check_ahead()
        except Exception as error:
            self._end_with(error)

    def _task(self, row: Row) -> Task:
        """What answers a row that was taken from the queue."""
        return RowTask(self._session, row, self._store, self._context)

    def _notify_row(self, event: Event) -> None:
        """Pass on what a row that has not ended says of itself. Where it waits, others go on."""
        if isinstance(event, RowRetried):
            self._begin_worker()
        self._notify(event)

    def _end_with(self, error: Exception) -> None:
        self._fatal = self._fatal or error
        self._stop.set()

    async def _tick(self) -> None:
        """Bring records to the disk and report how the run stands while it lasts."""
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_S)
            ticks += 1
            self._report()
            try:
                self._waits.look()
            except UnavailableError as error:
                self._end_with(error)
            if ticks % _TICKS_PER_SYNC == 0:
                try:
                    await asyncio.to_thread(self._store.sync)
                except OumiError as error:  # of the disk, or of a store far away
                    self._end_with(error)
                    return

    def _report(self) -> None:
        self._notify(LimitsReported(self._session.limiter.status))
        if workers := self._session.report_workers():
            self._notify(WorkersReported(workers))
        if (counts := self._queue.counts) != self._counts:
            self._counts = counts
            self._notify(counts)
