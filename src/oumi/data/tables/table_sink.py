"""Writes the rows of a run as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.data.records.record import Record
from oumi.data.records.values import to_plain
from oumi.data.sink import failure_record
from oumi.data.source import Source
from oumi.data.tables.answer_columns import AnswerColumns, CostOf, OutcomeColumns
from oumi.data.tables.input_columns import input_columns
from oumi.data.tables.parser import Parser
from oumi.data.tables.sample_lists import SampleLists, TableWriter, list_types
from oumi.data.tables.text_tables import DelimitedTable, JsonTable
from oumi.data.tables.value_types import ValueType
from oumi.errors import ConfigError

_SUFFIXES = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class TableForm:
    """What a table of answers looks like."""

    suffix: str
    """Its format: `.parquet`, `.csv`, `.tsv`, or `.jsonl` for an object a row."""
    schema: Mapping[str, Any] | None = None
    """The JSON schema of the answers, where there is one for all."""
    cost_of: CostOf | None = None
    parser: Parser | None = None
    """Makes further columns of answers."""
    num_samples: int = 1
    """How many samples each row of the input has."""
    has_lists: bool = False
    """Whether these stand in lists, in one row."""

    @property
    def name(self) -> str:
        """What tells tables of the same answers apart."""
        return f"-table{self.suffix}" + ("-lists" if self.has_lists else "")

    @property
    def rows_of_row(self) -> int:
        """How many rows of the table a row of the input has."""
        return 1 if self.has_lists else self.num_samples

    def sample_of(self, number: int) -> int | None:
        """The sample for the column of that name, by the number of an answer; None without one."""
        return number % self.num_samples if self.rows_of_row > 1 else None

    def columns(self, inputs: Collection[str]) -> OutcomeColumns:
        """The columns beside those of the input. What the parser adds has to be known by now."""
        parsed = {} if self.parser is None else self.parser.types
        has_sample = self.rows_of_row > 1
        return AnswerColumns(inputs, self.schema, self.cost_of, parsed, has_sample=has_sample)

    @staticmethod
    def suffix_of(path: Path) -> str:
        """The format of an output. Raises ConfigError for an ending of none."""
        suffix = path.suffix.lower()
        if suffix not in _SUFFIXES:
            raise ConfigError(f"output_path: {path}: a table ends in {', '.join(_SUFFIXES)}")
        return suffix

    def check(self, source: Source) -> None:
        """Raise what would keep the rows of a source from being written, before they are paid for:
        InputError for columns that Parquet has no type for, MissingDependencyError.
        """
        schema = source.schema
        if self.suffix == ".parquet":
            from oumi.data.tables.parquet_table import check_schema

            check_schema(schema, source.name)

    def open(self, file: BinaryIO, failures: BinaryIO, source: Source) -> TableSink:
        """A sink of the rows of a source. Raises MissingDependencyError for Parquet."""
        return TableSink(self, file, failures, source)


class TableSink:
    """Takes the rows of a source in order, those that failed among them."""

    def __init__(self, form: TableForm, file: BinaryIO, failures: BinaryIO, source: Source):
        self._file = _HashedFile(file)
        self._failures = failures
        inputs = input_columns(source)
        self._form = form
        self._parser = form.parser
        self._columns = form.columns(inputs)
        self._writer = self._open(form, source, inputs)

    @property
    def digest(self) -> str:
        """A hash of all that was written."""
        return self._file.digest.hexdigest()

    def rows(self, source: Source) -> Iterator[tuple[int | None, tuple[int, Record]]]:
        """What `add_answer` and `add_failure` take of each row, with the number of its line."""
        return ((record.line, (at, record)) for at, record in enumerate(source.records()))

    def add_answer(self, row: tuple[int, Record], answer: Mapping[str, Any]) -> None:
        """Write a row with its answer. Raises ValueError where that has no place in the table, and
        what the parser says of it.
        """
        at, record = row
        parsed: Mapping[str, Any] = {}
        if self._parser is not None:
            value = self._columns.answer(answer)
            parsed = self._parser.columns(at, record.columns, value)
        sample = self._form.sample_of(at)
        self._writer.add(record.columns, self._columns.of_answer(answer, parsed, sample))

    def add_failure(
        self,
        index: int,
        number: int | None,
        row: tuple[int, Record],
        failure: Mapping[str, Any],
    ) -> None:
        """Write a row with nulls and the reason; also to the file of failures."""
        columns = row[1].columns
        values = self._columns.of_failure(failure, self._form.sample_of(index))
        self._writer.add(columns, values)
        record = failure_record(index, self._form.num_samples, number, failure)
        record["columns"] = to_plain(columns)
        self._failures.write(write_json(record) + b"\n")

    def finish(self) -> None:
        """Write what is left."""
        self._writer.finish()

    def _open(self, form: TableForm, source: Source, inputs: Mapping[str, Any]) -> TableWriter:
        types = self._columns.types
        if not form.has_lists:
            return self._open_file(form, source, inputs, types)
        writer = self._open_file(form, source, inputs, list_types(types))
        return SampleLists(writer, types, form.num_samples)

    def _open_file(
        self,
        form: TableForm,
        source: Source,
        inputs: Mapping[str, Any],
        answers: Mapping[str, ValueType],
    ) -> TableWriter:
        file = cast(BinaryIO, self._file)
        if form.suffix == ".parquet":
            from oumi.data.tables.parquet_table import ParquetTable

            return ParquetTable(file, inputs, answers, source.schema)
        if form.suffix in (".csv", ".tsv"):
            delimiter = "," if form.suffix == ".csv" else "\t"
            return DelimitedTable(file, [*inputs, *answers], delimiter)
        return JsonTable(file)


class _HashedFile:
    """A file whose content is hashed as it is written."""

    closed = False

    def __init__(self, file: BinaryIO):
        self._file = file
        self.digest = new_digest()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self._file.tell()

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The file is its opener's to close."""
