"""The rows of a finished output."""

from __future__ import annotations

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile

from oumi.core.json_text import parse_json, write_json
from oumi.data.records.record import parse_record
from oumi.report.journal_rows import RowFacts
from oumi.report.live.placed_rows import PlacedRows
from oumi.report.output_rows import OutputRows, failed_row, numbered, row_of
from oumi.report.row import ReportRow
from oumi.runner.storage.atomic import beside, storage_errors
from oumi.runner.storage.journal_lines import line_at

_ROWS = 2000
"""At once: some 10 ms."""
_IS_FAILURE = 1
"""The lowest bit of a place: the offset above it is one of the file of failures."""
_BOM = b"\xef\xbb\xbf"


class _InOrder(PlacedRows):
    """Rows whose places are in the order of their numbers."""

    is_finished = True

    def __init__(self, rows: OutputRows):
        super().__init__()
        self.name, self.summary = rows.name, rows.summary
        self._rows, self._offsets = array("Q"), array("Q")

    def __len__(self) -> int:
        return len(self._offsets)

    def place_of(self, row: int) -> int | None:
        """Where a row stands."""
        place = bisect_left(self._rows, row)
        return place if place < len(self._rows) and self._rows[place] == row else None

    def _add(self, row: int, offset: int) -> None:
        self._rows.append(row)
        self._offsets.append(offset)


class LinePlaces(_InOrder):
    """Those of a JSONL file of conversations, where its lines stand, and those of the failures
    beside it: 16 bytes each, and as many for what the journal says of them.
    """

    def __init__(self, rows: OutputRows):
        super().__init__(rows)
        self._path, self._failures_path = rows.path, beside(rows.path, ".failures.jsonl")
        self._file = self._open(rows.path)
        has_failures = self._failures_path.exists()
        self._failures = self._open(self._failures_path) if has_failures else None
        journal = beside(rows.path, ".journal")
        self._facts = RowFacts(journal, rows.summary) if journal.exists() else None
        answered = (offset << 1 for offset, line in _lines(self._file) if not line.isspace())
        self._found = numbered(answered, self._find_failures())

    def find_more(self) -> bool:
        """Look at further lines."""
        before = len(self)
        with storage_errors(self._path):
            for row, offset in islice(self._found, _ROWS):
                self._add(row, offset)
        return len(self) > before

    def _find_failures(self) -> Iterator[tuple[int, int]]:
        if self._failures is None:
            return
        for offset, line in _lines(self._failures):
            if (row := failed_row(parse_record(None, line))) is not None:
                yield row.index, offset << 1 | _IS_FAILURE

    def row(self, place: int) -> ReportRow:
        """The row with what the journal says of it."""
        offset, is_failure = self._offsets[place] >> 1, self._offsets[place] & _IS_FAILURE
        row = self._failed_row(offset) if is_failure else self._answered_row(place, offset)
        if self._facts is not None:
            row.record = {**row.record, **self._facts.of(row)}
        return row

    def _answered_row(self, place: int, offset: int) -> ReportRow:
        with storage_errors(self._path):
            line = line_at(self._file, offset).removeprefix(_BOM)
        return row_of(self._rows[place], parse_record(None, line))

    def _failed_row(self, offset: int) -> ReportRow:
        assert self._failures is not None  # noqa: S101  for the type checker
        with storage_errors(self._failures_path):
            row = failed_row(parse_record(None, line_at(self._failures, offset)))
        assert row is not None  # noqa: S101  as it was when it was found
        return row


class CopiedPlaces(_InOrder):
    """Those of an output that cannot be read from its middle, such as a table or a compressed
    file: 16 bytes each. Its rows are copied to a temporary file that nobody else sees.
    """

    def __init__(self, rows: OutputRows):
        super().__init__(rows)
        self._path = rows.path
        self._source = iter(rows)
        self._copy = TemporaryFile()  # noqa: SIM115  closed with this object

    def find_more(self) -> bool:
        """Copy further rows."""
        found = list(islice(self._source, _ROWS))
        with storage_errors(self._path, "cannot be copied to a temporary file"):
            offsets = [self._write(row) for row in found]
            self._copy.flush()
        for row, offset in zip(found, offsets, strict=True):
            self._add(row.index, offset)
        return bool(found)

    def _write(self, row: ReportRow) -> int:
        offset = self._copy.tell()
        values = [row.index, row.conversation, row.failure, row.record, row.line]
        self._copy.write(write_json(values) + b"\n")
        return offset

    def row(self, place: int) -> ReportRow:
        """The row as it was copied."""
        with storage_errors(self._path):
            return ReportRow(*parse_json(line_at(self._copy.fileno(), self._offsets[place])))


def open_output(path: Path) -> PlacedRows:
    """The rows of an output file. Raises InputError."""
    rows = OutputRows(path)
    return LinePlaces(rows) if rows.has_lines else CopiedPlaces(rows)


def _lines(file: int) -> Iterator[tuple[int, bytes]]:
    """Each line with its offset; the last one may have no end."""
    offset = 0
    with os.fdopen(os.dup(file), "rb") as lines:
        for line in lines:
            yield offset, line
            offset += len(line)
