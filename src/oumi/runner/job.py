"""A job: from what the caller named, a list or files, to the result. `Run` does the asking."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from oumi.core.configs.inference_config import (
    STANDARD_STREAM,
    BadRows,
    InferenceConfig,
)
from oumi.core.logs import logger
from oumi.core.printable import printable_json
from oumi.core.types.result import InferenceResult
from oumi.data.check import CheckedRows
from oumi.data.conversation_like import Conversations
from oumi.data.opening import open_source
from oumi.data.output_name import check_output_name
from oumi.data.source import Source
from oumi.data.tables.parser import Parser
from oumi.errors import InputError, OumiError, StorageError
from oumi.runner.destination import Destination, FileDestination, MemoryDestination
from oumi.runner.events import (
    BatchReported,
    Event,
    Listener,
    RowsCounted,
    RunStarted,
    SourceRecognised,
    Waiting,
)
from oumi.runner.progress_file import ProgressFile
from oumi.runner.refusals import Refusals
from oumi.runner.row_queue import RowQueue
from oumi.runner.run import Run
from oumi.runner.sample_check import check_samples
from oumi.runner.session import Session
from oumi.runner.stats import RunStats


class Job:
    """One call of `infer`, under the settings of the session."""

    def __init__(
        self,
        session: Session,
        conversations: Conversations | None = None,
        listener: Listener | None = None,
        parser: Parser | None = None,
    ):
        self._session = session
        self._config = session.config
        self.source = open_source(conversations, session.config)
        check_output_name(session.config)
        check_samples(session, self.source)
        self._parser = parser
        self._stats = RunStats()
        self._listener = listener or log_waits
        path = session.config.progress_path
        self._progress = None if path is None else ProgressFile(path)
        self._run: Run | None = None
        self._stopped = False

    async def run(self) -> InferenceResult:
        """Answer all rows and save them. Raises what ends the whole run."""
        source = self.source
        if source.recognised is not None:
            self._notify(SourceRecognised(source.recognised))
        with _output_path(self._config) as path:
            destination = self._destination(source, path)
            done = await asyncio.to_thread(destination.finished_result)
            if done is not None:
                count = len(done.rows)
                self._notify_started(RowsCounted(count, count, is_estimate=False), path)
                return done
            rows = CheckedRows(source, bad_rows_fail=self._config.bad_rows == BadRows.FAIL)
            await asyncio.to_thread(rows.check_first)
            with await asyncio.to_thread(destination.open) as store:
                phase = self._session.batch_phase
                first = rows.kept if phase is None else source.rows()  # of which it asks no other
                recorded = await asyncio.to_thread(destination.claim, first)
                asked = self._session.rows(source, rows)
                is_all = phase is not None
                queue = RowQueue(rows, asked, destination.is_recorded, recorded, is_all=is_all)
                self._notify_started(queue.counts, path)
                refusals = Refusals(has_answers=recorded > 0)
                self._run = run = Run(self._session, store, queue, self._notify, refusals)
                if not self._stopped:
                    try:
                        if phase is not None:
                            await run.run_batch(phase, source)
                        await run.run()
                    except OumiError as error:
                        await self._attach_result(error, destination)
                        raise
                if self._stopped:
                    return InferenceResult()
                return await asyncio.to_thread(destination.finish, self._stats)

    async def run_partial(self) -> InferenceResult:
        """The same, but what the answers of a backend end is a result as well: the rows that were
        not asked have failed because of it. Raises what is wrong with the input or the disk.
        """
        try:
            return await self.run()
        except (InputError, StorageError):
            raise
        except OumiError as error:
            if not isinstance(error.result, InferenceResult):
                raise
            return error.result

    @property
    def kept(self) -> str:
        """What there is of a job that was interrupted, and how it goes on."""
        path = self._config.output_path
        again = "" if path is None else "; the same call goes on from there"
        return f"{self._stats.kept(path)}{again}"

    def stop(self) -> None:
        """Finish what is in flight, begin nothing more, and keep the journal."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()

    async def _attach_result(self, error: OumiError, destination: Destination) -> None:
        """Have an error that ends the run carry what became of each row."""
        with contextlib.suppress(OumiError):  # a source that was changed gives no rows
            error.result = await asyncio.to_thread(destination.result_until, error)

    def _destination(self, source: Source, path: Path | None) -> Destination:
        if path is None:
            return MemoryDestination(self._session, source)
        return FileDestination(self._session, source, path, self._parser)

    def _notify_started(self, counts: RowsCounted, path: Path | None) -> None:
        name, price = self._session.name, self._session.price
        output_path = str(path.resolve()) if path else None
        total, recorded, num_samples = counts.total, counts.recorded, self.source.num_samples
        self._notify(
            RunStarted(total, recorded, name, output_path, price, counts.is_estimate, num_samples)
        )

    def _notify(self, event: Event) -> None:
        self._stats.update(event)
        if self._progress is not None:
            self._progress.update(self._stats, event)
        self._listener(event)


def log_waits(event: Event) -> None:
    """A listener for where nobody else says why nothing happens, and what rows are taken for."""
    if isinstance(event, Waiting):
        logger.warning(event.text)
    elif isinstance(event, BatchReported | SourceRecognised):
        logger.info(event.text)


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
            yield output
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
