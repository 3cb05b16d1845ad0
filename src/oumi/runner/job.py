"""A job: from what the caller named, a list or files, to the result. `Run` does the asking."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator
from logging import INFO, WARNING
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.configs.part import Part
from oumi.core.configs.run_choices import BadRows
from oumi.core.garbage import collected_rarely
from oumi.core.logs import logger
from oumi.core.printable import printable_json
from oumi.core.types.result import RowOutcomes
from oumi.data.check import CheckedRows
from oumi.data.conversation_like import Conversations
from oumi.data.opening import open_source
from oumi.data.output_name import check_output_name
from oumi.data.part_source import PartSource
from oumi.data.some_rows import SomeRows
from oumi.data.source import Source
from oumi.errors import BudgetError, OumiError, StorageError
from oumi.runner.batch_phase import BatchPhase
from oumi.runner.events import (
    BatchReported,
    Event,
    Listener,
    RowsCounted,
    RunStarted,
    SourceRecognised,
    Waiting,
)
from oumi.runner.limits.budget import Budget, check_price, has_budget
from oumi.runner.parts.attempts import find_part
from oumi.runner.progress_file import ProgressFile
from oumi.runner.refusals import Refusals
from oumi.runner.row_queue import RowQueue
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.row_store import RowStore

if TYPE_CHECKING:
    from oumi.runner.destination import Destination
    from oumi.runner.run import Run

_LOGGED = (Waiting, BatchReported, SourceRecognised)

ResultT = TypeVar("ResultT", bound=RowOutcomes)


class Job(ABC, Generic[ResultT]):
    """One call that works through the rows of an input, under the settings of the session."""

    def __init__(
        self,
        session: Session,
        conversations: Conversations | None = None,
        listener: Listener | None = None,
    ):
        self._session = session
        self._config = session.config
        self._part = find_part(session.config)
        self.source = _part_of(open_source(conversations, session.config), self._part)
        check_output_name(session.config)
        check_price(session.price, session.config)
        self._stats = RunStats()
        self._listener = listener or log_waits
        path = session.config.progress_path
        self._progress = None if path is None else ProgressFile(path)
        self._run: Run | None = None
        self._stopped = False
        self._budget: Budget | None = None
        self._only: frozenset[int] | None = None  # the rows of a pilot

    async def run(self) -> ResultT:
        """Answer all rows and save them. Raises what ends the whole run."""
        source = self.source
        if source.recognised is not None:
            self._notify(SourceRecognised(source.recognised))
        with _output_path(self._config) as path:
            destination = await asyncio.to_thread(self._destination, source, path)
            done = await asyncio.to_thread(destination.finished_result)
            if done is not None:
                count = len(done.rows)
                self._notify_started(RowsCounted(count, count, is_estimate=False), destination)
                return done
            rows = self._checked_rows()
            await asyncio.to_thread(rows.check_first)
            async with _opened(destination) as store:
                run = await self._begin(destination, store, rows)
                try:
                    if not self._stopped:
                        if self._phase is not None:
                            await run.run_batch(self._phase, source)
                        with collected_rarely():
                            await run.run()
                except OumiError as error:
                    await self._explain(error, destination)
                    raise
                finally:
                    self._close_budget()
                if self._stopped or self._only is not None:
                    return self._no_result()
                return await asyncio.to_thread(destination.finish, self._stats)

    @property
    def kept(self) -> str:
        """What there is of a job that was interrupted, and how it goes on."""
        place = self._config.recorded_in
        again = "" if place is None else "; the same call goes on from there"
        return f"{self._stats.kept(place)}{again}"

    def stop(self) -> None:
        """Finish what is in flight, begin nothing more, and keep the journal."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()

    async def _begin(
        self, destination: Destination[ResultT], store: RowStore, rows: CheckedRows
    ) -> Run:
        """The run, which is about to ask."""
        is_all = self._phase is not None  # which answers no row that has an answer already
        first = self.source.rows() if is_all else rows.kept
        recorded = await asyncio.to_thread(destination.claim, first)
        asked = self._session.rows(self._asked_source, rows)
        queue = RowQueue(rows, asked, destination.is_recorded, recorded, is_all=is_all)
        self._budget = await asyncio.to_thread(self._open_budget, destination)
        refusals = Refusals(has_answers=recorded > 0)
        run = self._run = self._new_run(store, queue, refusals)
        self._notify_started(queue.counts, destination)
        return run

    @property
    def _phase(self) -> BatchPhase | None:
        """What has a batch job answer the rows first; a pilot's few are asked at once."""
        return None if self._only is not None else self._session.batch_phase

    @property
    def _asked_source(self) -> Source:
        """The rows that are asked: all of them, or those of a pilot."""
        return self.source if self._only is None else SomeRows(self.source, self._only)

    def _checked_rows(self) -> CheckedRows:
        bad_rows_fail = self._config.bad_rows == BadRows.FAIL
        return CheckedRows(self._asked_source, bad_rows_fail=bad_rows_fail)

    def _open_budget(self, destination: Destination[ResultT]) -> Budget | None:
        """What the run may take; None where nothing limits it."""
        if not has_budget(self._config):
            return None
        check_price(self._session.price, self._config)
        return Budget(self._config, destination.spent(), destination.record_unrecorded)

    def _close_budget(self) -> None:
        if self._budget is not None:
            with contextlib.suppress(StorageError):  # then more counts as paid than need be
                self._budget.close()

    async def _explain(self, error: OumiError, destination: Destination[ResultT]) -> None:
        """Have an error that ends the run carry what became of each row."""
        if isinstance(error, BudgetError):
            error.add_progress(self._progress_until(error))
            if self._config.output_path == STANDARD_STREAM:  # printed now or never
                await asyncio.to_thread(destination.finish, self._stats)
        with contextlib.suppress(OumiError):  # a source that was changed gives no rows
            error.result = await asyncio.to_thread(destination.result_until, error)

    @property
    def _is_kept(self) -> bool:
        """Whether answers outlive the call."""
        return self._config.output_path not in (None, STANDARD_STREAM)

    def _progress_until(self, error: BudgetError) -> str:
        """How far the run is at the end of its budget, and how it goes on."""
        stats = self._stats
        is_counted = stats.total is not None and not stats.is_estimate
        left = f", {(stats.total or 0) - stats.finished:,} left" if is_counted else ""
        if not self._is_kept:
            return f"{stats.kept(None)}{left}"
        done = stats.kept(self._config.recorded_in)
        return f"{done}{left}. With a higher {error.setting} the same call goes on"

    @abstractmethod
    def _destination(self, source: Source, path: Path | None) -> Destination[ResultT]:
        """Where the rows end up; `path` is None where no file keeps them."""

    @abstractmethod
    def _new_run(self, store: RowStore, queue: RowQueue, refusals: Refusals) -> Run:
        """What asks the rows of a queue."""

    @abstractmethod
    def _no_result(self) -> ResultT:
        """The result of a job that was stopped, or of a pilot."""

    def _notify_started(self, counts: RowsCounted, destination: Destination[ResultT]) -> None:
        name, price = self._session.name, self._session.price
        output_path = str(destination.path) if destination.path else None
        total, recorded, num_samples = counts.total, counts.recorded, self.source.num_samples
        self._notify(
            RunStarted(total, recorded, name, output_path, price, counts.is_estimate, num_samples)
        )

    def _notify(self, event: Event) -> None:
        self._stats.update(event)
        if self._progress is not None:
            self._progress.update(self._stats, event)
        self._listener(event)


def _part_of(source: Source, part: Part | None) -> Source:
    return source if part is None else PartSource(source, part)


def log_waits(event: Event) -> None:
    """A listener for where nobody else says why nothing happens, and what rows are taken for."""
    if isinstance(event, _LOGGED):
        logger.log(WARNING if isinstance(event, Waiting) else INFO, event.text)


@contextlib.asynccontextmanager
async def _opened(destination: Destination[ResultT]) -> AsyncIterator[RowStore]:
    """What records the answers; opened and closed beside the event loop, which would wait."""
    opening = destination.open()
    store = await asyncio.to_thread(opening.__enter__)
    try:
        yield store
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)


@contextlib.contextmanager
def _output_path(config: InferenceConfig) -> Iterator[Path | None]:
    """Where the output goes; what is meant for standard output is printed at the end."""
    path = config.output_path
    if path is None:
        yield None
    elif path != STANDARD_STREAM:
        yield Path(path)
    else:
        with tempfile.TemporaryDirectory(prefix="oumi-") as folder:
            output = Path(folder) / "output.jsonl"
            try:
                yield output
            finally:
                if output.exists():
                    _print_lines(output)


def _print_lines(output: Path) -> None:
    """Print JSON lines: byte for byte, but to a terminal so that it cannot be steered by them."""
    with output.open("rb") as file:
        if sys.stdout.isatty():
            sys.stdout.writelines(printable_json(line.decode()) for line in file)
        else:
            shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.flush()
