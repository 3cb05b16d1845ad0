"""Where the rows of a job end up: in memory, or in files that a later call can go on from."""

from __future__ import annotations

import collections
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

from oumi.core.configs.secrets import shown_settings
from oumi.core.logs import logger
from oumi.core.types.failure import Failure
from oumi.core.types.result import InferenceResult
from oumi.data.jsonl import JsonlSink
from oumi.data.source import Row, Source
from oumi.data.tables.parser import Parser
from oumi.errors import OumiError, RequestError
from oumi.runner.limits.budget import Spent
from oumi.runner.limits.reservation import Tokens
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.lazy import LazyFailures, MissingConversations
from oumi.runner.storage.memory import MemoryStore, join_rows
from oumi.runner.storage.output import Output
from oumi.runner.storage.row_store import RowStore
from oumi.runner.storage.snapshot import JournalSnapshot, outcome_in
from oumi.runner.table_form import parse_answers, table_form
from oumi.structured.contract import type_of_answers


class Destination(Protocol):
    """The methods are called in this order, each at most once."""

    path: Path | None
    """Where the output goes; None: into memory."""

    def finished_result(self) -> InferenceResult | None:
        """The result of this very job, where an earlier call has finished it."""
        ...

    def open(self) -> AbstractContextManager[RowStore]:
        """What records the answers. Raises OutputExistsError, StorageError."""
        ...

    def claim(self, first: Iterable[Row]) -> int:
        """Give the first rows their answers of earlier calls, as many rows as has to be known
        before any other is asked, and count these answers.
        """
        ...

    def is_recorded(self, row: Row) -> bool:
        """Whether a row has an answer of an earlier call, or of a batch job of this one. To be
        asked of all rows in order.
        """
        ...

    def spent(self) -> Spent:
        """What earlier calls took. Raises StorageError."""
        ...

    def record_unrecorded(self, tokens: Tokens) -> None:
        """Remember how many tokens may have been paid for without a record. Raises StorageError."""
        ...

    def finish(self, stats: RunStats) -> InferenceResult:
        """Save what is recorded and return it. Raises StorageError."""
        ...

    def result_until(self, error: OumiError) -> InferenceResult:
        """What is recorded of a run that an error has ended; nothing is saved. To be called while
        the store is open.
        """
        ...


class MemoryDestination:
    """For a job without an output file."""

    path: Path | None = None

    def __init__(self, session: Session, source: Source):
        self._session = session
        self._source = source
        self._store = MemoryStore()
        self._contract_at = partial(session.contract_at, source)

    def finished_result(self) -> None:
        """Nothing: no call is remembered."""

    @contextmanager
    def open(self) -> Iterator[RowStore]:
        """The answers by row."""
        yield self._store

    def claim(self, first: Iterable[Row]) -> int:
        """Nothing is there to claim."""
        return 0

    def is_recorded(self, row: Row) -> bool:
        """Whether a batch job of this call has answered a row; no other call is remembered."""
        return self._store.holds(row.index)

    def spent(self) -> Spent:
        """Nothing: there were no earlier calls."""
        return Spent()

    def record_unrecorded(self, tokens: Tokens) -> None:
        """Nothing outlives the call."""

    def finish(self, stats: RunStats) -> InferenceResult:
        """The conversations with their answers."""
        return self._store.result(self._source, self._contract_at)

    def result_until(self, error: OumiError) -> InferenceResult:
        """The same; the other rows have failed."""
        return self._store.result(self._source, self._contract_at, Failure.not_asked(error))


class FileDestination:
    """An output file with a journal beside it.

    Raises ConfigError and OutputExistsError where its files would take the place of others.
    """

    def __init__(
        self,
        session: Session,
        source: Source,
        path: Path,
        parser: Parser | None = None,
        open_journal: Callable[[Path], Journal] = Journal,
    ):
        self._session = session
        self._source = source
        self._output = Output(path)
        self.path: Path | None = self._output.path
        self._open_journal = open_journal
        self._output.check_files(source.paths)
        self._overwrite = session.config.overwrite
        self._contract_at = partial(session.contract_at, source)
        is_table = session.config.writes_table
        self._form = table_form(session, source, path, parser) if is_table else None
        self._journal: Journal
        self._looked_up = 0  # rows that were looked up in the journal

    def finished_result(self) -> InferenceResult | None:
        """What the output holds, where it is of the same input and settings and nothing failed."""
        # The ids are made of the whole input, which a new run has no need to read before it asks.
        # Rows in memory are gone through, so that one without a form in JSON is known as such.
        if not self._source.in_memory and not self._output.run_path.exists():
            return None
        if self._form is not None:
            return self._finished_table()
        return self._result() if self._is_finished() else None

    def open(self) -> Journal:
        """The journal, locked for this process."""
        if not self._output.journal_path.exists():
            self._check_replaceable(0)
        self._journal = self._open_journal(self._output.journal_path)
        return self._journal

    def claim(self, first: Iterable[Row]) -> int:
        """Look rows up in the journal: all of them where an output is to be replaced, which has to
        be of this run. Raises OutputExistsError where it is another's.
        """
        is_replaced = self._output.path.exists() and not self._overwrite
        recorded = sum(map(self.is_recorded, self._source.rows() if is_replaced else first))
        self._note_address(recorded)
        self._check_replaceable(recorded)
        return recorded

    def is_recorded(self, row: Row) -> bool:
        """Whether the journal holds an answer to a row. It is looked for once."""
        if row.index < self._looked_up:
            return self._journal.holds(row.index)
        self._looked_up = row.index + 1
        return self._journal.unclaimed > 0 and self._claim_row(row)

    @contextmanager
    def look(self) -> Iterator[Journal | None]:
        """The journal as it is, its answers claimed by their rows; None where there is none.
        Nothing is locked or written.
        """
        from oumi.runner.storage.journal_reader import JournalReader

        if not self._output.journal_path.exists():
            yield None
            return
        with JournalReader(self._output.journal_path) as self._journal:
            collections.deque(map(self.is_recorded, self._source.rows()), maxlen=0)
            yield self._journal

    def spent(self) -> Spent:
        """All that the journal holds, also for rows that are no longer in the input."""
        from oumi.runner.storage.journal_reader import recorded_usage

        unrecorded = Tokens(*self._journal.notes.get("unrecorded", ()))
        return Spent(recorded_usage(self._journal.path), unrecorded)

    def record_unrecorded(self, tokens: Tokens) -> None:
        """Write it to the journal."""
        self._journal.append_note("unrecorded", list(tokens))

    def finish(self, stats: RunStats) -> InferenceResult:
        """Write the output and its neighbours. A table that holds all of it stays as it is."""
        session, form = self._session, self._form
        if form is not None:
            parse_answers(form, self._source, self._journal, self._contract_at)
        if form is None or form.parser or not self._is_finished():
            self._output.write(
                self._source,
                self._journal,
                self._run_ids[0],
                session.price,
                stats.to_dict(),
                self._contract_at,
                JsonlSink if form is None else form.open,
                self._made_by,
            )
        return self._result() if form is None else self._table_result()

    def result_until(self, error: OumiError) -> InferenceResult:
        """What the journal holds of each row; read from it as it is looked at, unless the caller
        holds the rows in memory.
        """
        missing, contract_at = Failure.not_asked(error), self._contract_at
        if self._journal.unclaimed:
            collections.deque(map(self.is_recorded, self._source.rows()), maxlen=0)
        if self._source.in_memory:
            outcome_of = partial(outcome_in, self._journal)
            return join_rows(self._source, outcome_of, contract_at, missing)
        return self._snapshot(missing).result(self._source)

    def _finished_table(self) -> InferenceResult | None:
        """Of a finished table the answers are in the journal, which is looked up in row by row.
        Where that was removed, only the table is left.
        """
        if self._output.journal_path.exists() or not self._is_finished():
            return None
        total = sum(1 for _ in self._source.records())
        missing = MissingConversations(self._output.path, total)
        return InferenceResult(missing, range(total), num_samples=self._source.num_samples)

    def _table_result(self) -> InferenceResult:
        """The conversations, from the journal, and the failures, from their file."""
        failures = LazyFailures(self._output.failures_path, self._source.num_samples)
        missing = Failure("StorageError", "not in the table")
        result = self._snapshot(missing, failures).result(self._source)
        if not self._source.in_memory:
            return replace(result, failures=failures)
        return _held(result, dict(failures))

    def _snapshot(self, missing: Failure, failed: Container[int] = ()) -> JournalSnapshot:
        total = sum(1 for _ in self._source.records())
        places = (place for place in self._journal.places(total) if place[0] not in failed)
        path = self._output.journal_path
        return JournalSnapshot(path, total, missing, self._contract_at, places)

    @cached_property
    def _run_ids(self) -> tuple[str, str]:
        """The id of this run, and the one that version 0.1 gave it."""
        fingerprint = self._source.fingerprint()
        if self._form is not None:  # the same answers in another form are another file
            fingerprint += self._form.name
        keys = (self._session.keys.settings_key, self._session.job_keys.settings_key)
        return f"{keys[0]}-{fingerprint}", f"{keys[1]}-{fingerprint}"

    @property
    def _made_by(self) -> dict[str, Any]:
        config = self._session.config
        return {"engine": self._session.name, "settings": shown_settings(config)}

    def _check_replaceable(self, recorded: int) -> None:
        self._output.check_replaceable(recorded, overwrite=self._overwrite, made_by=self._made_by)

    def _is_finished(self) -> bool:
        return self._output.is_finished(self._run_ids)

    def _claim_row(self, row: Row) -> bool:
        if row.conversation is None:
            return False
        try:
            session = self._session.for_row(row)
        except RequestError:  # settings of the row that the engine cannot honour
            return False
        claim = partial(self._journal.claim_valid, row.index, contract=session.contract)
        return claim(session.keys.row_key(row)) or claim(session.job_keys.row_key(row))

    def _note_address(self, recorded: int) -> None:
        """Record where answers come from, and say so where those of earlier calls come from
        elsewhere.
        """
        address, earlier = self._session.url, self._journal.notes.get("address")
        if address is None or address == earlier:
            return
        if recorded and earlier is not None:
            logger.warning(
                "%d recorded answers came from %s, the others are asked at %s: taken to be the "
                "same model, as it has the same name",
                recorded,
                earlier,
                address,
            )
        self._journal.append_note("address", address)

    def _result(self) -> InferenceResult:
        # Rows with settings of their own may have schemas of their own, which are of no type.
        contract = None if self._source.has_settings else self._session.contract
        result = self._output.result(type_of_answers(contract))
        if not self._source.in_memory:
            return result
        return _held(result, dict(result.failures))


def _held(result: InferenceResult, failures: dict[int, Failure]) -> InferenceResult:
    """The same in memory, for a caller who holds the rows there as well."""
    return replace(result, conversations=list(result.conversations), failures=failures)
