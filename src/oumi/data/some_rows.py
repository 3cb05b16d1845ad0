"""Some rows of a source, under their own numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import BinaryIO

from oumi.data.source import Row, Source


class SomeRows(Source):
    """Goes through the rows whose numbers are among `numbers`. The source itself is as it was."""

    def __init__(self, source: Source, numbers: Collection[int]):
        self.name = source.name
        self.paths = source.paths
        self.has_settings, self.has_schemas = source.has_settings, source.has_schemas
        self.num_samples = source.num_samples
        self.may_be_empty = True
        self._source = source
        self._numbers = numbers

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows, but for the first `start` of them."""
        chosen = (row for row in self._source.rows() if row.index in self._numbers)
        return islice(chosen, start, None)

    @property
    def estimated_rows(self) -> int:
        """How many they are."""
        return len(self._numbers)

    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The rows as JSON text, unchecked, each with the number of its line if it has one."""
        lines = enumerate(self._source.lines())
        return (line for index, line in lines if index in self._numbers)

    def line_of(self, index: int) -> bytes:
        """One row of the source as JSON text, unchecked."""
        return self._source.line_of(index)

    def place(self, row: Row) -> str:
        """Where a row stands, for error messages."""
        return self._source.place(row)

    def fingerprint(self) -> str:
        """That of the whole source."""
        return self._source.fingerprint()

    def copy_to(self, file: BinaryIO) -> None:
        """Write these rows as JSONL."""
        file.writelines(line + b"\n" for _, line in self.lines())
