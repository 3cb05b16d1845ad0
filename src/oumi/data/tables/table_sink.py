"""Writes the rows of a run as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.data.records.record import Record
from oumi.data.records.values import to_plain
from oumi.data.source import Source
from oumi.data.tables.answer_columns import AnswerColumns, CostOf
from oumi.data.tables.input_columns import input_columns
from oumi.data.tables.parser import Parser
from oumi.data.tables.text_tables import DelimitedTable, JsonTable
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

    def columns(self, inputs: Collection[str]) -> AnswerColumns:
        """The columns beside those of the input. What the parser adds has to be known by now."""
        parsed = {} if self.parser is None else self.parser.types
        return AnswerColumns(inputs, self.schema, self.cost_of, parsed)

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


class TableWriter(Protocol):
    """Writes one format."""

    def add(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Write a row: the columns of the input and those of the answer. Raises ValueError."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


class TableSink:
    """Takes the rows of a source in order, those that failed among them."""

    def __init__(self, form: TableForm, file: BinaryIO, failures: BinaryIO, source: Source):
        self._file = _HashedFile(file)
        self._failures = failures
        inputs = input_columns(source)
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

    def add_answer(self, row: tuple[int, Record], completion: Mapping[str, Any]) -> None:
        """Write a row with its answer. Raises ValueError where that has no place in the table, and
        what the parser says of it.
        """
        at, record = row
        parsed: Mapping[str, Any] = {}
        if self._parser is not None:
            answer = self._columns.answer(completion)
            parsed = self._parser.columns(at, record.columns, answer)
        self._writer.add(record.columns, self._columns.of_completion(completion, parsed))

    def add_failure(
        self,
        index: int,
        number: int | None,
        row: tuple[int, Record],
        failure: Mapping[str, Any],
    ) -> None:
        """Write a row with nulls and the reason; also to the file of failures."""
        columns = row[1].columns
        self._writer.add(columns, self._columns.of_failure(failure))
        record: dict[str, Any] = {"row": index}
        if number is not None:
            record["line"] = number
        record |= {"failure": failure, "columns": to_plain(columns)}
        self._failures.write(write_json(record) + b"\n")

    def finish(self) -> None:
        """Write what is left."""
        self._writer.finish()

    def _open(self, form: TableForm, source: Source, inputs: Mapping[str, Any]) -> TableWriter:
        file, answers = cast(BinaryIO, self._file), self._columns.types
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
