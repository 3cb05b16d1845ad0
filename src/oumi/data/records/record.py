"""A row of a table, and what a file of them offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from oumi.core.json_text import parse_json

if TYPE_CHECKING:
    import pyarrow as pa


class Record(NamedTuple):
    """A row: its values by column, or what is wrong with it."""

    line: int | None
    """The number of the line where it begins, from 1; None in formats without lines."""
    columns: Mapping[str, Any]
    problem: str | None = None


class Records(ABC):
    """The rows of one file or of one table in memory, the same ones in every pass."""

    name: str
    """What errors call it."""

    @abstractmethod
    def __iter__(self) -> Iterator[Record]:
        """The rows in order, from the first one. Raises InputError for what is no such file."""

    @abstractmethod
    def digest(self) -> str:
        """The hash of the content: 32 hexadecimal digits."""

    @property
    def columns(self) -> Sequence[str] | None:
        """The names of all columns in order, where the format says them before the rows."""
        return None

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are, from what can be told at once; None where nothing can."""
        return None

    @property
    def has_texts_only(self) -> bool:
        """Whether all values are texts, as the format has no types."""
        return False

    @property
    def schema(self) -> pa.Schema | None:
        """The types of the columns, where the format has any."""
        return None


def parse_record(number: int | None, line: bytes) -> Record:
    """A row from JSON text."""
    try:
        return to_record(number, parse_json(line))
    except ValueError as error:
        return Record(number, {}, f"not JSON: {error}")


def to_record(number: int | None, value: Any) -> Record:
    """A JSON value as a row."""
    if isinstance(value, dict):
        return Record(number, value)
    return Record(number, {}, f"{type(value).__name__} in place of an object")
