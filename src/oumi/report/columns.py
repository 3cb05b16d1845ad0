"""The columns by which the page sorts and filters, for the rows that are in the file."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import Any

MOST_COLUMNS = 24
"""Of metadata and of properties each: what a table can still offer to choose from."""
_LONGEST_TEXT = 200
_NOTHING = -1


class Column:
    """Numbers, as long as there is nothing else, or texts: 8 or 4 bytes a row, and each different
    text once.
    """

    def __init__(self, group: str, rows: int):
        self.group = group
        self._numbers: array[float] | None = array("d", [math.nan]) * rows
        self._codes = array("l")
        self._texts: dict[str, int] = {}

    def add(self, value: Any) -> None:
        """The value of the next row; None for nothing."""
        if self._numbers is not None:
            if value is None or is_number(value):
                self._numbers.append(math.nan if value is None else float(value))
                return
            self._become_texts(self._numbers)
        self._codes.append(self._code(value))

    def _become_texts(self, numbers: array[float]) -> None:
        for number in numbers:
            self._codes.append(self._code(None if math.isnan(number) else number))
        self._numbers = None

    def _code(self, value: Any) -> int:
        if value is None:
            return _NOTHING
        return self._texts.setdefault(cell_text(value), len(self._texts))

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values: `numbers` with null for nothing, or `codes` into `texts`, where -1
        is nothing.
        """
        if self._numbers is not None:
            numbers = [None if math.isnan(n) else _shortest(n) for n in self._numbers]
            return {"group": self.group, "numbers": numbers}
        return {"group": self.group, "codes": self._codes.tolist(), "texts": list(self._texts)}


class Columns:
    """All columns of a run; one that comes up late is empty in the rows before."""

    def __init__(self) -> None:
        self.rows = 0
        self._by_name: dict[str, Column] = {}
        self._per_group: dict[str, int] = {}

    def add(self, groups: Mapping[str, Mapping[str, Any]]) -> None:
        """Add a row: its values by group and column. What no cell can show is left out."""
        values = cells(groups)
        for full in values:
            if full not in self._by_name:
                self._open(full)
        for full, column in self._by_name.items():
            column.add(values.get(full))
        self.rows += 1

    def _open(self, full: str) -> None:
        group = full.partition(":")[0]
        if group != "fact" and self._per_group.get(group, 0) >= MOST_COLUMNS:
            return
        self._per_group[group] = self._per_group.get(group, 0) + 1
        self._by_name[full] = Column(group, self.rows)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, by names such as `fact:status` and `property:price`."""
        return {name: column.to_dict() for name, column in self._by_name.items()}


def cells(groups: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The values of a row by names such as `fact:status`, without what no cell can show."""
    return {
        f"{group}:{name}": value
        for group, named in groups.items()
        for name, value in named.items()
        if value is None or isinstance(value, str | int | float)
    }


def cell_text(value: Any) -> str:
    """What a column of texts shows of a value."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text[:_LONGEST_TEXT]


def is_number(value: Any) -> bool:
    """Whether a column of numbers can hold a value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 2**53  # beyond that a float would show another number


def _shortest(number: float) -> float:
    return int(number) if number.is_integer() else number
