"""A source that is made of another one, and differs from it in a few things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from oumi.data.records.record import Record
from oumi.data.source import Row, Source

if TYPE_CHECKING:
    import pyarrow as pa

    from oumi.core.configs.generation_params import GenerationParams


class SourceView(Source):
    """The same rows as `source` has."""

    def __init__(self, source: Source):
        self._source = source
        self.name = source.name
        self.in_memory = source.in_memory
        self.recognised = source.recognised
        self.paths = source.paths
        self.table = source.table
        self.has_settings = source.has_settings
        self.has_schemas = source.has_schemas
        self.may_be_empty = source.may_be_empty
        self.num_samples = source.num_samples

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` on."""
        return self._source.rows(start)

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are."""
        return self._source.estimated_rows

    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The same rows as JSON text, unchecked, each with the number of its line if it has one."""
        return self._source.lines()

    def records(self) -> Iterator[Record]:
        """The same rows by their columns."""
        return self._source.records()

    @property
    def schema(self) -> pa.Schema | None:
        """The types of the columns, where their format has any."""
        return self._source.schema

    @property
    def text_columns(self) -> Sequence[str] | None:
        """The names of the columns, where their format has them and all values are texts."""
        return self._source.text_columns

    def line_of(self, index: int) -> bytes:
        """One row as JSON text, unchecked."""
        return self._source.line_of(index)

    def generation_of(self, index: int) -> GenerationParams | None:
        """The settings of one row. Rows that are asked for in order cost one pass."""
        return self._source.generation_of(index)

    def place(self, row: Row) -> str:
        """Where a row stands in the input."""
        return self._source.place(row)

    def fingerprint(self) -> str:
        """A hash of the content."""
        return self._source.fingerprint()

    def copy_to(self, file: BinaryIO) -> None:
        """Write the rows of the input as JSONL."""
        self._source.copy_to(file)
