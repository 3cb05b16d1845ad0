"""Some rows of a source, under their own numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from typing import BinaryIO

from oumi.data.records.record import Record
from oumi.data.source import Row, Source
from oumi.data.source_view import SourceView


class SomeRows(SourceView):
    """Goes through the rows whose numbers are among `numbers`. The source itself is as it was."""

    def __init__(self, source: Source, numbers: Collection[int]):
        super().__init__(source)
        self.in_memory = False
        self.recognised = self.table = None
        self.may_be_empty = True
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

    def records(self) -> Iterator[Record]:
        """The same rows by their columns."""
        records = enumerate(self._source.records())
        return (record for index, record in records if index in self._numbers)

    def copy_to(self, file: BinaryIO) -> None:
        """Write these rows as JSONL."""
        file.writelines(line + b"\n" for _, line in self.lines())
