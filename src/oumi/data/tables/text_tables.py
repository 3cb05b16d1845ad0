"""Tables as text: CSV, TSV, and JSONL with an object a row."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from oumi.core.json_text import replace_surrogates, write_json
from oumi.data.records.values import to_plain


class JsonTable:
    """A JSON object a row."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def add(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Write a row."""
        self._file.write(write_json({**to_plain(columns), **values}) + b"\n")

    def finish(self) -> None:
        """Nothing is left to write."""


class DelimitedTable:
    """A line of names, then a row a line; null is an empty field, what is nested JSON text."""

    def __init__(self, file: BinaryIO, names: Sequence[str], delimiter: str):
        self._names = names
        self._writer = csv.writer(_Encoded(file), delimiter=delimiter, lineterminator="\n")
        self._writer.writerow(names)

    def add(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Write a row."""
        row = {**columns, **values}
        self._writer.writerow([_field(row.get(name)) for name in self._names])

    def finish(self) -> None:
        """Nothing is left to write."""


class _Encoded:
    """Takes text and writes it as UTF-8."""

    def __init__(self, file: BinaryIO):
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text.encode())
        except UnicodeEncodeError:  # half a surrogate pair
            return self._file.write(replace_surrogates(text).encode())


def _field(value: Any) -> Any:
    plain = to_plain(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, dict | list):
        return write_json(plain).decode()
    return plain
