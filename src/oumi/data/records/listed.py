"""Rows in memory: dicts, as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.data.records.record import Record, Records
from oumi.data.records.values import to_plain


class ListedRecords(Records):
    """A list of dicts, each of which is a row."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]):
        self.name = "the list of rows"
        self._rows = [dict(row) for row in rows]

    def __iter__(self) -> Iterator[Record]:
        for row in self._rows:
            yield Record(None, row)

    @property
    def estimated_rows(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def digest(self) -> str:
        """The hash of the content, where values that JSON has no form for count by their text."""
        digest = new_digest()
        for row in self._rows:
            digest.update(write_json(to_plain(row)) + b"\n")
        return digest.hexdigest()
