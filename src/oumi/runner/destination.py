"""Where the rows of a job end up: in memory, or in files that a later call can go on from."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from oumi.core.types.failure import Failure
from oumi.core.types.result import InferenceResult
from oumi.data.source import Row, Source
from oumi.data.tables.parser import Parser
from oumi.errors import OumiError
from oumi.runner.limits.budget import Spent
from oumi.runner.limits.reservation import Tokens
from oumi.runner.records import FileRecords, MemoryRecords
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.lazy import LazyFailures
from oumi.runner.storage.memory import join_rows
from oumi.runner.storage.row_store import RowStore
from oumi.runner.storage.snapshot import outcome_in
from oumi.runner.table_form import parse_answers, table_form
from oumi.structured.contract import type_of_answers

ResultT_co = TypeVar("ResultT_co", covariant=True)


class Destination(Protocol[ResultT_co]):
    """The methods are called in this order, each at most once."""

    def finished_result(self) -> ResultT_co | None:
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

    def finish(self, stats: RunStats) -> ResultT_co:
        """Save what is recorded and return it. Raises StorageError."""
        ...

    def result_until(self, error: OumiError) -> ResultT_co:
        """What is recorded of a run that an error has ended; nothing is saved. To be called while
        the store is open.
        """
        ...


class MemoryDestination(MemoryRecords):
    """For a job without an output file."""

    def finish(self, stats: RunStats) -> InferenceResult:
        """The conversations with their answers."""
        return self._store.result(self._source, self._contract_at)

    def result_until(self, error: OumiError) -> InferenceResult:
        """The same; the other rows have failed."""
        return self._store.result(self._source, self._contract_at, Failure.not_asked(error))


class FileDestination(FileRecords):
    """An output file with a journal beside it.

    Raises ConfigError and OutputExistsError where its files would take the place of others.
    """

    def __init__(self, session: Session, source: Source, path: Path, parser: Parser | None = None):
        is_table = session.config.writes_table
        form = table_form(session, source, path, parser) if is_table else None
        super().__init__(session, source, path, form)

    def finished_result(self) -> InferenceResult | None:
        """What the output holds, where it is of the same input and settings and nothing failed."""
        if not self._may_be_finished():
            return None
        if self._form is not None:
            return self._finished_table()
        return self._result() if self._is_finished() else None

    def finish(self, stats: RunStats) -> InferenceResult:
        """Write the output and its neighbours. A table that holds all of it stays as it is."""
        form = self._form
        if form is not None:
            parse_answers(form, self._source, self._journal, self._contract_at)
        if form is None or form.parser or not self._is_finished():
            self._write(stats)
        return self._result() if form is None else self._table_result()

    def result_until(self, error: OumiError) -> InferenceResult:
        """What the journal holds of each row; read from it as it is looked at, unless the caller
        holds the rows in memory.
        """
        missing, contract_at = Failure.not_asked(error), self._contract_at
        self._claim_rest()
        if self._source.in_memory:
            outcome_of = partial(outcome_in, self._journal)
            return join_rows(self._source, outcome_of, contract_at, missing)
        return self._snapshot(missing).result(self._source)

    def _finished_table(self) -> InferenceResult | None:
        """Of a finished table the answers are in the journal, which is looked up in row by row.
        Where that was removed, only the table is left.
        """
        missing = self._missing_answers("conversations")
        if missing is None:
            return None
        rows = range(len(missing))
        return InferenceResult(missing, rows, num_samples=self._source.num_samples)

    def _table_result(self) -> InferenceResult:
        """The conversations, from the journal, and the failures, from their file."""
        failures = LazyFailures(self._output.failures_path, self._source.num_samples)
        missing = Failure("StorageError", "not in the table")
        result = self._snapshot(missing, failures).result(self._source)
        if not self._source.in_memory:
            return replace(result, failures=failures)
        return _held(result, dict(failures))

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
