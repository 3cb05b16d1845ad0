"""The rows that meet a query."""

from __future__ import annotations

from typing import Any

from oumi.report.live.counted_rows import STATUSES, CountedRows
from oumi.report.live.query import Query, TextSearch


class Selection:
    """The places that were looked at and meet a query, and what each is sorted by."""

    def __init__(self, counted: CountedRows, query: Query):
        self.places: list[int] = []
        self.keys: list[Any] | None = [] if query.sort else None
        self._counted = counted
        self._query = query
        self._search = TextSearch(query.text) if query.text.strip() else None
        wanted = query.statuses
        self._statuses = {
            number for number, name in enumerate(STATUSES) if wanted is None or name in wanted
        }  # of which that of a replaced row is none

    def look_at(self, place: int) -> None:
        """Add a place if its row meets the query. Its status alone is known without reading it."""
        query = self._query
        if self._counted.statuses[place] not in self._statuses:
            return
        if self._search is not None or query.needs_values:
            row = self._counted.rows.row(place)
            values = self._counted.values(row) if query.needs_values else {}
            if not all(one.holds(values) for one in query.other_filters):
                return
            if self._search is not None and not self._search.finds(row):
                return
            if self.keys is not None:
                self.keys.append(values.get(query.sort or ""))
        self.places.append(place)
