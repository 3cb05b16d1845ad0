"""Columns that a function of the caller makes of answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from oumi.data.records.values import to_plain
from oumi.data.tables.value_types import ValueType, common_type, type_of

Parse: TypeAlias = Callable[[dict[str, Any], Any], Mapping[str, Any]]
"""Gives further columns for a row, by its columns, and its answer: a text, or with a schema the
value that it holds."""


class Parser:
    """Calls the function once for each row. What it gives, or raises, is kept in memory."""

    def __init__(self, parse: Parse):
        self._parse = parse
        self._found: dict[int, Mapping[str, Any] | Exception] = {}

    @property
    def types(self) -> dict[str, ValueType]:
        """The columns that were given so far, with the types of their values."""
        values: dict[str, list[Any]] = {}
        for found in self._found.values():
            for name, value in {} if isinstance(found, Exception) else found.items():
                values.setdefault(name, []).append(value)
        return {name: common_type(map(type_of, given)) for name, given in values.items()}

    def columns(self, index: int, row: Mapping[str, Any], answer: Any) -> Mapping[str, Any]:
        """What the function gives for a row. Raises ValueError, in which what it raised is told."""
        if index not in self._found:
            self._found[index] = self._call(row, answer)
        found = self._found[index]
        if isinstance(found, Exception):
            raise ValueError(f"parse: {type(found).__name__}: {found}") from found
        return found

    def _call(self, row: Mapping[str, Any], answer: Any) -> Mapping[str, Any] | Exception:
        try:
            given = self._parse(dict(row), answer)
            if not isinstance(given, Mapping):
                raise TypeError(f"gave no dict of columns: {given!r:.60}")
            return {str(name): to_plain(value) for name, value in given.items()}
        except Exception as error:  # of one row; the others go on
            return error
