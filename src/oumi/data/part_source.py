"""The rows of one part of a run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from oumi.core.configs.part import Part
from oumi.core.digest import new_digest
from oumi.data.records.record import Record
from oumi.data.source import Row, Source
from oumi.data.source_view import SourceView

if TYPE_CHECKING:
    from oumi.core.configs.generation_params import GenerationParams


class PartSource(SourceView):
    """A range of the rows of another source, numbered from 0. Errors name their places in the
    whole input.
    """

    def __init__(self, source: Source, part: Part):
        super().__init__(source)
        self._part = part
        self.may_be_empty = True  # of few rows many parts have none

    @cached_property
    def range(self) -> range:
        """Which rows of the whole these are. The first call counts the rows."""
        return self._part.rows(count_rows(self._source))

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` on."""
        first = self.range.start
        for row in islice(self._source.rows(first + start), max(len(self.range) - start, 0)):
            yield row._replace(index=row.index - first)

    @property
    def estimated_rows(self) -> int:
        """How many rows there are."""
        return len(self.range)

    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The same rows as JSON text, unchecked, each with the number of its line if it has one."""
        return islice(self._source.lines(), self.range.start, self.range.stop)

    def records(self) -> Iterator[Record]:
        """The same rows by their columns."""
        return islice(self._source.records(), self.range.start, self.range.stop)

    def line_of(self, index: int) -> bytes:
        """One row as JSON text, unchecked."""
        return self._source.line_of(self.range[index])

    def generation_of(self, index: int) -> GenerationParams | None:
        """The settings of one row."""
        return self._source.generation_of(self.range[index])

    def place(self, row: Row) -> str:
        """Where a row stands in the whole input."""
        return self._source.place(row._replace(index=self.range[row.index]))

    def fingerprint(self) -> str:
        """A hash of the whole content and of the part."""
        digest = new_digest()
        digest.update(f"{self._source.fingerprint()} part {self._part}".encode())
        return digest.hexdigest()

    def copy_to(self, file: BinaryIO) -> None:
        """Write the rows as JSONL."""
        file.writelines(line.rstrip(b"\n") + b"\n" for _, line in self.lines())


def count_rows(source: Source) -> int:
    """How many rows a source has."""
    return sum(1 for _ in source.records())
