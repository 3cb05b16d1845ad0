"""A run: rows go to the engine, a bounded number at a time, and every row ends as a value."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Failure, is_fatal
from oumi.runner.events import Event, Listener, RowDone, RowFailed, RunEnded, Stopping
from oumi.runner.request import NO_KEY, KeyMaker, Request
from oumi.runner.sources import Row

_SYNC_EVERY_S = 1.0


class Records(Protocol):
    """Where answers are kept: the journal of a file, or memory."""

    def holds(self, row: int) -> bool:
        """Whether the row has a record."""
        ...

    def record(self, row: int, key: str, completion: Completion, *, latency_s: float) -> None:
        """Keep an answer."""
        ...

    def record_failure(self, row: int, key: str, failure: Failure, *, latency_s: float) -> None:
        """Keep the reason why there is none."""
        ...

    def sync(self) -> None:
        """Bring everything to the disk."""
        ...


class Run:
    """One pass over the rows with at most `in_flight` of them begun and not ended.

    `stop` lets what is in flight finish and begins nothing more. An error after which no other
    row can succeed does the same, and is raised by `go` once nothing is in flight.
    """

    def __init__(
        self,
        complete: Callable[[Request], Awaitable[Completion]],
        config: InferenceConfig,
        keys: KeyMaker,
        records: Records,
        listener: Listener,
    ):
        self._complete = complete
        self._config = config
        self._keys = keys
        self._records = records
        self._listener = listener
        self._in_flight = 0
        self._fatal: BaseException | None = None
        self.stopped = False

    async def go(self, rows: Iterator[Row], in_flight: int) -> None:
        """Ask for all rows that have no record yet. Raises the error that ended the run."""
        syncing = asyncio.create_task(self._sync())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(in_flight):
                    group.create_task(self._work(rows))
        finally:
            syncing.cancel()
        self._listener(RunEnded())
        if self._fatal is not None:
            raise self._fatal

    def stop(self) -> None:
        """Begin no further row."""
        self.stopped = True
        self._listener(Stopping(self._in_flight))

    async def _work(self, rows: Iterator[Row]) -> None:
        try:
            for row in rows:
                if self.stopped or self._fatal:
                    return
                if not self._records.holds(row.index):
                    await self._answer(row)
        except Exception as error:
            self._fatal = self._fatal or error

    async def _answer(self, row: Row) -> None:
        self._in_flight += 1
        try:
            self._listener(await self._ask(row, time.monotonic()))
        finally:
            self._in_flight -= 1

    async def _ask(self, row: Row, started_s: float) -> Event:
        """The row's answer or failure, recorded. Raises only what ends the run."""
        key = NO_KEY
        try:
            if row.conversation is None:
                raise row.error or ValueError("a row without a conversation")
            key = self._keys.key(row.conversation)
            completion = await self._complete(Request(row.conversation, self._config, key))
        except Exception as error:
            if is_fatal(error):
                raise
            failure = Failure.from_error(error)
            latency_s = round(time.monotonic() - started_s, 6)
            self._records.record_failure(row.index, key, failure, latency_s=latency_s)
            return RowFailed(row.index, failure, latency_s)
        latency_s = round(time.monotonic() - started_s, 6)
        self._records.record(row.index, key, completion, latency_s=latency_s)
        return RowDone(row.index, completion, latency_s)

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_EVERY_S)
            await asyncio.to_thread(self._records.sync)
