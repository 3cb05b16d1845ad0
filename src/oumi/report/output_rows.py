"""The rows of an output file, with what lies beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

from oumi.core.types.failure import Failure
from oumi.data.records.formats import open_records
from oumi.data.records.json_lines import JsonLines
from oumi.data.records.record import Record
from oumi.errors import InputError
from oumi.report.journal_rows import JournalRows, RowFacts
from oumi.report.row import ReportRow
from oumi.report.run_rows import RunRows
from oumi.report.table_row import TableForm
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.lazy import LazyFailures
from oumi.runner.storage.run_summary import RunSummary

AnsweredT = TypeVar("AnsweredT")
FailedT = TypeVar("FailedT")

_FIRST_ROWS = 100
"""Of these at least one must be readable: a binary file is no run, one with a bad line is."""


class OutputRows(RunRows):
    """An output file with what lies beside it: failures, journal, `run.json`. Each may be missing.

    Raises InputError for what is no such file.
    """

    def __init__(self, path: Path):
        self.name = path.name
        self.path = path
        self.summary = RunSummary.read(beside(path, ".run.json"))
        self._records = open_records(path)
        failures = beside(path, ".failures.jsonl")
        self._failures_path = failures if failures.exists() else None
        self._count = None if self.summary is None else self.summary.rows
        self._check()

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self)
        return self._count

    def __iter__(self) -> Iterator[ReportRow]:
        rows = self._table_rows() if self._is_table() else self._conversations()
        journal = beside(self.path, ".journal")
        facts = RowFacts(journal, self.summary) if journal.exists() else None
        for row in rows:
            if facts is not None:
                row.record = {**row.record, **facts.of(row)}
            yield row

    def _check(self) -> None:
        """Raise InputError for a file of which nothing can be read."""
        first = list(islice(self._records, _FIRST_ROWS))
        if first and all(record.problem is not None for record in first):
            raise InputError(f"{_place(self.path.name, first[0])}: {first[0].problem}")

    @property
    def has_lines(self) -> bool:
        """Whether each line of the file itself is a conversation."""
        return (
            isinstance(self._records, JsonLines)
            and not self._records.is_packed
            and not self._is_table()
        )

    def _is_table(self) -> bool:
        first = next(iter(self._records), None)
        return first is not None and first.problem is None and "messages" not in first.columns

    def _conversations(self) -> Iterator[ReportRow]:
        failures = ((row.index, row) for row in self._failures())
        for index, found in numbered(self._records, failures):
            yield found if isinstance(found, ReportRow) else row_of(index, found)

    def _failures(self) -> Iterator[ReportRow]:
        if self._failures_path is None:
            return
        for record in open_records(self._failures_path):
            if (row := failed_row(record)) is not None:
                yield row

    def _table_rows(self) -> Iterator[ReportRow]:
        """A table holds the rows that failed as well."""
        failures = LazyFailures(beside(self.path, ".failures.jsonl"))
        form: TableForm | None = None
        for index, record in enumerate(self._records):
            if record.problem is not None:
                yield row_of(index, record)
                continue
            form = form or TableForm(record.columns, _schema_names(self.summary))
            row = form.row(record.columns)
            failure = None
            if row.error is not None:
                failure = (failures.get(index) or Failure("", row.error)).to_dict()
            known = {} if row.cost_usd is None else {"cost_usd": row.cost_usd}
            yield ReportRow(index, row.conversation, failure, known, record.line)


def numbered(
    answered: Iterable[AnsweredT], failed: Iterable[tuple[int, FailedT]]
) -> Iterator[tuple[int, AnsweredT | FailedT]]:
    """Rows with their numbers: failures have theirs, and the rows of the output, which are in
    order, those that are left.
    """
    failures = iter(failed)
    failure = next(failures, None)
    index = 0
    for row in answered:
        while failure is not None and failure[0] <= index:
            yield failure
            index = failure[0] + 1
            failure = next(failures, None)
        yield index, row
        index += 1
    if failure is not None:
        yield failure
    yield from failures


def row_of(index: int, record: Record) -> ReportRow:
    """The row of a record of conversations; a failed one for what is none."""
    if record.problem is not None:
        place = "" if record.line is None else f"line {record.line}: "
        failure = Failure("InputError", f"{place}{record.problem}", attempts=0)
        return ReportRow(index, {}, failure.to_dict(), line=record.line)
    return ReportRow(index, record.columns)


def failed_row(record: Record) -> ReportRow | None:
    """The row of a line in the file of failures; None for a line that is none."""
    values = record.columns
    if record.problem is not None or not isinstance(values.get("failure"), dict):
        return None
    if not isinstance(values.get("row"), int):
        return None
    conversation = values.get("conversation")
    given = conversation if isinstance(conversation, dict) else {}
    return ReportRow(values["row"], given, values["failure"], line=values.get("line"))


def _schema_names(summary: RunSummary | None) -> list[str]:
    """The properties of the schema that the answers of a run had to meet."""
    settings = {} if summary is None else summary.settings
    guided = (settings.get("generation") or {}).get("guided_decoding") or {}
    schema = guided.get("json")
    return list(schema.get("properties") or ()) if isinstance(schema, dict) else []


def _place(name: str, record: Record) -> str:
    return name if record.line is None else f"{name}:{record.line}"


def has_run(path: Path) -> bool:
    """Whether there is an output at a path, or the journal of a run that has none yet."""
    return path.exists() or beside(path, ".journal").exists()


def output_of(path: Path) -> Path:
    """The output file that is meant: by itself, or by the journal of a run that has none yet.

    Raises InputError.
    """
    if path.is_dir():
        raise InputError(f"{path}: a folder; name the output file of a run")
    for ending in (".failures.jsonl", ".run.json", ".journal"):
        if path.name.endswith(ending):
            output = path.with_name(path.name.removesuffix(ending))
            if ending == ".journal" and not output.exists():
                return output
            raise InputError(f"{path}: lies beside an output file; name that one: {output}")
    return path


def open_run(given: Path) -> RunRows:
    """The rows of an output file, or of a run that has none yet. Raises InputError."""
    path = output_of(given)
    if path.exists():
        return OutputRows(path)
    if beside(path, ".journal").exists():
        return JournalRows(path)
    raise InputError(f"{path}: no such file, and no journal of a run beside it")
