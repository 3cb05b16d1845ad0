"""The figures of rows that are still being found."""

from __future__ import annotations

import threading
import time
from array import array
from typing import Any

from oumi.report.columns import MOST_COLUMNS, cells, is_number
from oumi.report.figures import Figures
from oumi.report.live.placed_rows import PlacedRows
from oumi.report.properties import parse_answer
from oumi.report.row import ReportRow, RowStatus
from oumi.report.run_part import facts_of, values_of

_ROWS_AT_ONCE = 100
"""While these are counted, 2 ms, nobody reads the figures."""

STATUSES = tuple(RowStatus)
REPLACED = len(STATUSES)
"""Stands for the status of a place whose row stands at a later one."""


class ColumnKinds:
    """The columns that rows have, and whether all values of each are numbers."""

    def __init__(self) -> None:
        self._are_numbers: dict[str, bool] = {}
        self._per_group: dict[str, int] = {}

    def add(self, values: dict[str, Any]) -> None:
        """Take note of the values of a row, by names such as `fact:status`."""
        for name, value in values.items():
            if value is None or (name not in self._are_numbers and not self._has_room(name)):
                continue
            self._are_numbers[name] = self._are_numbers.get(name, True) and is_number(value)

    def _has_room(self, name: str) -> bool:
        group = name.partition(":")[0]
        self._per_group[group] = self._per_group.get(group, 0) + 1
        return group == "fact" or self._per_group[group] <= MOST_COLUMNS

    def to_dict(self) -> dict[str, bool]:
        """By name whether all values are numbers, the columns of a group together."""
        names = sorted(self._are_numbers, key=lambda name: name.partition(":")[0])
        return {name: self._are_numbers[name] for name in names}


class CountedRows:
    """Rows with their figures: 1 byte a row in memory, besides what finding it takes.

    One thread counts, and any may ask.
    """

    def __init__(self, rows: PlacedRows):
        self.rows = rows
        self.statuses = array("B")
        """Of each place that is counted the number of its status in `STATUSES`, or `REPLACED`."""
        self.is_up_to_date = False
        """Whether all rows that are on disk are found and counted."""
        self._figures = Figures(None if rows.summary is None else rows.summary.price)
        self._columns = ColumnKinds()
        self._taken_back = 0  # how many of `rows.replaced`
        self._lock = threading.Lock()

    def count(self, seconds: float) -> bool:
        """Find and count further rows for about so long; whether there may be more at once.

        Raises StorageError, InputError.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not self._find_or_count():
                self.is_up_to_date = True
                return False
            self.is_up_to_date = False
        return True

    def _find_or_count(self) -> bool:
        # All rows are found before the first is counted: then the table is whole within a second.
        if self.rows.find_more():
            return True
        with self._lock:
            has_more = self._take_back()
            start = len(self.statuses)
            for place in range(start, min(start + _ROWS_AT_ONCE, len(self.rows))):
                self._count(place)
        return has_more or len(self.statuses) > start

    def _take_back(self) -> bool:
        """Count no longer what was counted and has another record since."""
        replaced = self.rows.replaced[self._taken_back : self._taken_back + _ROWS_AT_ONCE]
        for place in replaced:
            while place >= len(self.statuses):
                self._count(len(self.statuses))
            row = self.rows.row(place)
            self._figures.add(row, parse_answer(row.answer), -1)
            self.statuses[place] = REPLACED
        self._taken_back += len(replaced)
        return bool(replaced)

    def _count(self, place: int) -> None:
        row = self.rows.row(place)
        value = parse_answer(row.answer)
        group = self._figures.add(row, value)
        self._columns.add(cells(values_of(row, value, group, self._figures.cost_of(row))))
        self.statuses.append(STATUSES.index(row.status))

    def values(self, row: ReportRow) -> dict[str, Any]:
        """What the table shows of a row, by names such as `fact:status`."""
        with self._lock:
            group = self._figures.failure_group(row)
        return cells(values_of(row, parse_answer(row.answer), group, self._figures.cost_of(row)))

    @property
    def version(self) -> int:
        """Another number whenever the figures are others."""
        return len(self.statuses) + self._taken_back

    def facts(self) -> dict[str, Any]:
        """What the page says of the run besides its rows, as JSON-ready values."""
        with self._lock:
            figures, columns = self._figures.to_dict(), self._columns.to_dict()
        return {
            **facts_of(self.rows.name, self.rows.summary),
            "figures": figures,
            "columns": columns,
        }
