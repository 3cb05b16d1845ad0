"""The samples of a row in one row of a table, as lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol

from oumi.data.tables.value_types import ValueType, check_values


class TableWriter(Protocol):
    """Writes one format."""

    def add(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Write a row: the columns of the input and those of the answer. Raises ValueError."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


class SampleLists:
    """Takes the samples of a row one after the other, and writes them as one row."""

    def __init__(self, writer: TableWriter, types: Mapping[str, ValueType], num_samples: int):
        self._writer = writer
        self._types = types
        self._num_samples = num_samples
        self._values: list[Mapping[str, Any]] = []  # of the row that is not complete yet

    def add(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Take a sample. Raises ValueError for values that have no place in their columns: it is
        not taken then.
        """
        check_values(values, self._types)
        self._values.append(values)
        if len(self._values) == self._num_samples:
            self._writer.add(columns, _listed(self._values))
            self._values = []

    def finish(self) -> None:
        """Write what is left."""
        self._writer.finish()


def list_types(types: Mapping[str, ValueType]) -> dict[str, ValueType]:
    """The types of columns that hold a list of values in each row."""
    return {name: ValueType("list", kind) for name, kind in types.items()}


def in_lists(values: Iterable[Mapping[str, Any]], num_samples: int) -> list[dict[str, Any]]:
    """The values of samples in lists, a row each."""
    return [_listed(row) for row in _groups(values, num_samples)]


def _groups(values: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    iterator = iter(values)
    while group := list(islice(iterator, size)):
        yield group


def _listed(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: [one[name] for one in values] for name in values[0]}
