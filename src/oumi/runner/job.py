"""A job: from what the caller named, a list or files, to the result. `Run` does the asking."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from oumi.core.configs.inference_config import BadRows, InferenceConfig
from oumi.core.types.conversation import Conversation
from oumi.core.types.result import InferenceResult
from oumi.data.check import check_rows
from oumi.data.opening import STANDARD_STREAM, open_source, spool
from oumi.data.source import Source
from oumi.errors import ConfigError
from oumi.runner.destination import Destination, FileDestination, MemoryDestination
from oumi.runner.events import Event, Listener, RunStarted
from oumi.runner.run import Run
from oumi.runner.session import Session
from oumi.runner.stats import RunStats


class Job:
    """One call of `infer`, under the settings of the session."""

    def __init__(
        self,
        session: Session,
        conversations: Sequence[Conversation] | None = None,
        listener: Listener | None = None,
    ):
        self._session = session
        self._config = session.config
        self._conversations = conversations
        self._stats = RunStats()
        self._listener = listener
        self._run: Run | None = None
        self._stopped = False
        self._spooled = spool(conversations, self._config)

    async def run(self) -> InferenceResult:
        """Answer all rows and save them. Raises what ends the whole run."""
        opened = open_source(self._conversations, self._config, self._spooled)
        with opened as source, _output_path(self._config) as path:
            destination = self._destination(source, path)
            done = await asyncio.to_thread(destination.finished_result)
            if done is not None:
                self._notify_started(len(done.rows), len(done.rows), path)
                return done
            total = await asyncio.to_thread(self._check, source)
            with await asyncio.to_thread(destination.open) as store:
                recorded = await asyncio.to_thread(destination.claim)
                self._run = run = Run(self._session, store, self._notify)
                self._notify_started(total, recorded, path)
                if not self._stopped:
                    most = min(self._session.max_in_flight, max(total, 1))
                    await run.run(source.rows(), most)
                if self._stopped:
                    return InferenceResult()
                return await asyncio.to_thread(destination.finish, self._stats)

    def stop(self) -> None:
        """Finish what is in flight, begin nothing more, and keep the journal."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()

    def _destination(self, source: Source, path: Path | None) -> Destination:
        if path is None:
            return MemoryDestination(self._session, source)
        return FileDestination(self._session, source, path)

    def _check(self, source: Source) -> int:
        return check_rows(source, bad_rows_fail=self._config.bad_rows == BadRows.FAIL)

    def _notify_started(self, total: int, recorded: int, path: Path | None) -> None:
        name, price = self._session.name, self._session.price
        output_path = str(path.resolve()) if path else None
        self._notify(RunStarted(total, recorded, name, output_path, price))

    def _notify(self, event: Event) -> None:
        self._stats.update(event)
        if self._listener is not None:
            self._listener(event)


@contextlib.contextmanager
def _output_path(config: InferenceConfig) -> Iterator[Path | None]:
    """Where the output goes; what is meant for standard output is printed at the end."""
    path = config.output_path
    if path is None:
        yield None
    elif path != STANDARD_STREAM:
        if config.input_path and Path(path).resolve() == Path(config.input_path).resolve():
            raise ConfigError(f"input_path and output_path are the same file: {path}")
        yield Path(path)
    else:
        with tempfile.TemporaryDirectory(prefix="oumi-") as folder:
            output = Path(folder) / "output.jsonl"
            yield output
            if output.exists():
                with output.open("rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
