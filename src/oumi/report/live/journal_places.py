"""The rows of a journal that a run may be writing."""

from __future__ import annotations

import os
from array import array
from itertools import islice
from pathlib import Path

from oumi.report.journal_rows import row_of_record
from oumi.report.live.placed_rows import PlacedRows
from oumi.report.row import ReportRow
from oumi.runner.storage.atomic import beside, storage_errors
from oumi.runner.storage.journal_lines import read_line, read_record, whole_lines
from oumi.runner.storage.row_table import RowTable

_LINES = 5000
"""At once: some 10 ms."""


class JournalPlaces(PlacedRows):
    """The rows in the order of their records; 24 bytes each. A row that is recorded again, as
    after a repair, stands at a new place.
    """

    is_finished = False

    def __init__(self, output: Path):
        super().__init__()
        self.name = output.name
        self._path = beside(output, ".journal")
        self._file = self._open(self._path)
        self._lines = os.fdopen(os.dup(self._file), "rb")
        self._end = 0
        self._last_line = b""
        self._offsets, self._rows = array("Q"), array("Q")
        self._place_of = RowTable()

    def __len__(self) -> int:
        return len(self._offsets)

    def find_more(self) -> bool:
        """Look at further lines; a torn last one is looked at again once it is whole."""
        found = False
        with storage_errors(self._path):
            self._lines.seek(start := self._end)
            for offset, line in islice(whole_lines(self._lines), _LINES):
                self._add(start + offset, line)
                self._end, self._last_line, found = start + offset + len(line), line, True
        return found

    def _add(self, offset: int, line: bytes) -> None:
        record = read_line(line)
        if record is None:  # the header, a note, or damaged
            return
        before = self._place_of.get(record.row)
        self._place_of[record.row] = len(self._offsets)
        self._rows.append(record.row)
        self._offsets.append(offset)
        if before is not None:
            self.replaced.append(before)

    def row(self, place: int) -> ReportRow:
        """What the record says: the answer without its question, which only the input has."""
        with storage_errors(self._path):
            record = read_record(self._file, self._offsets[place])
        return row_of_record(self._rows[place], record)

    def place_of(self, row: int) -> int | None:
        """Where the last record of a row stands."""
        return self._place_of.get(row)

    @property
    def is_current(self) -> bool:
        """Whether the file was neither replaced nor begun anew. A torn last line that a resumed run
        has cut off was not counted.
        """
        try:
            is_same = os.path.samestat(self._path.stat(), os.fstat(self._file))
        except FileNotFoundError:
            return True  # it is read all the same
        start = self._end - len(self._last_line)
        return is_same and os.pread(self._file, len(self._last_line), start) == self._last_line
