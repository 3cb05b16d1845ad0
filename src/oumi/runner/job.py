"""A job: from what the caller named, a list or files, to the result. `Run` does the asking."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from oumi.core.configs import BadRows, InferenceConfig
from oumi.core.types.conversation import Conversation
from oumi.core.types.result import InferenceResult
from oumi.data.sources import STANDARD_STREAM, ListSource, Source, check, open_source, spool
from oumi.errors import ConfigError
from oumi.runner.events import Event, Listener, RunStarted
from oumi.runner.request import KeyMaker
from oumi.runner.run import Answerer, Records, Run
from oumi.runner.stats import RunStats
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.memory import MemoryStore
from oumi.runner.storage.output import Output


class Job:
    """One call of `infer`. `config` holds the effective settings."""

    def __init__(
        self,
        engine: Answerer,
        config: InferenceConfig,
        conversations: Sequence[Conversation] | None,
        listener: Listener | None,
    ):
        self._engine = engine
        self._config = config
        self._conversations = conversations
        self._keys = KeyMaker(config, engine.identity(config))
        self._contract = engine.contract(config)
        self._stats = RunStats()
        self._listener = listener
        self._run: Run | None = None
        self._stopped = False
        self._spooled = spool(conversations, config)

    async def go(self) -> InferenceResult:
        """Answer all rows and save them. Raises what stops the whole run."""
        opened = open_source(self._conversations, self._config, self._spooled)
        with opened as source, _output_path(self._config) as path:
            if path is None:
                return await self._in_memory(source)
            result = await self._to_file(source, Output(path))
            in_memory = isinstance(source, ListSource)
            return result if not in_memory else _held_in_memory(result)

    def stop(self) -> None:
        """Finish what is in flight, begin nothing more, and keep the journal."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()

    async def _in_memory(self, source: Source) -> InferenceResult:
        records = MemoryStore()
        total = await asyncio.to_thread(self._check, source)
        await self._ask(source, records, self._started(total, 0, None))
        if self._stopped:
            return InferenceResult()
        return records.result(source, self._contract)

    async def _to_file(self, source: Source, output: Output) -> InferenceResult:
        run_id = await asyncio.to_thread(self._run_id, source)
        if await asyncio.to_thread(output.is_finished, run_id):
            done = output.result()
            count = len(done.rows)
            self._tell(self._started(count, count, output))
            return done
        total = await asyncio.to_thread(self._check, source)
        if not output.journal_path.exists():
            output.check_replaceable(0, overwrite=self._config.overwrite)
        with await asyncio.to_thread(Journal, output.journal_path) as journal:
            recorded = await asyncio.to_thread(self._claim, source, journal)
            output.check_replaceable(recorded, overwrite=self._config.overwrite)
            await self._ask(source, journal, self._started(total, recorded, output))
            if self._stopped:
                return InferenceResult()
            await asyncio.to_thread(
                output.write,
                source,
                journal,
                run_id,
                self._stats.price,
                self._stats.to_dict(),
                self._contract,
            )
        return output.result()

    async def _ask(self, source: Source, records: Records, started: RunStarted) -> None:
        run = Run(self._engine, self._config, self._keys, records, self._tell, self._contract)
        self._run = run
        self._tell(started)
        if not self._stopped:
            in_flight = min(self._engine.in_flight(self._config), max(started.total, 1))
            await run.go(source.rows(), in_flight)

    def _started(self, total: int, recorded: int, output: Output | None) -> RunStarted:
        return RunStarted(
            total,
            recorded,
            self._engine.name,
            str(output.path) if output else None,
            self._engine.price(self._config),
            self._engine.limiter(self._config),
        )

    def _run_id(self, source: Source) -> str:
        return f"{self._keys.settings_key}-{source.fingerprint()}"

    def _check(self, source: Source) -> int:
        return check(source, bad_rows_fail=self._config.bad_rows == BadRows.FAIL)

    def _claim(self, source: Source, journal: Journal) -> int:
        """Give the rows their answers from before, and count them."""
        if not journal.recorded:
            return 0
        keys = (
            (row.index, self._keys.key(row.conversation))
            for row in source.rows()
            if row.conversation is not None
        )
        return sum(journal.claim_valid(index, key, self._contract) for index, key in keys)

    def _tell(self, event: Event) -> None:
        self._stats(event)
        if self._listener is not None:
            self._listener(event)


def _held_in_memory(result: InferenceResult) -> InferenceResult:
    return InferenceResult(list(result.conversations), result.rows, dict(result.failures))


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
