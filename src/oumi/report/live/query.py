"""Which rows a page asks for."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from oumi.core.json_text import write_json
from oumi.report.columns import cell_text, is_number
from oumi.report.row import ReportRow


class _Filter(BaseModel):
    """A condition on a column, as `filters.js` has it."""

    model_config = ConfigDict(frozen=True)
    column: str

    def holds(self, values: dict[str, Any]) -> bool:
        """Whether a row with these values meets it."""
        value = values.get(self.column)
        return self._holds(value, "" if value is None else cell_text(value))

    def _holds(self, value: Any, text: str) -> bool:
        raise NotImplementedError


class OneOf(_Filter):
    """Its text is one of these; `""` stands for nothing."""

    kind: Literal["one of"]
    values: frozenset[str]

    def _holds(self, value: Any, text: str) -> bool:
        return text in self.values


class Between(_Filter):
    """It is a number in a range."""

    kind: Literal["between"]
    low: float | None = None
    high: float | None = None

    def _holds(self, value: Any, text: str) -> bool:
        is_above = is_number(value) and (self.low is None or value >= self.low)
        return is_above and (self.high is None or value <= self.high)


class Contains(_Filter):
    """Its text has another one in it, in whatever case."""

    kind: Literal["contains"]
    text: str

    def _holds(self, value: Any, text: str) -> bool:
        return self.text.lower() in text.lower()


class Query(BaseModel):
    """What rows have to meet, and the column by which the page sorts them."""

    model_config = ConfigDict(frozen=True)
    filters: tuple[Annotated[OneOf | Between | Contains, Field(discriminator="kind")], ...] = ()
    text: str = ""
    sort: str | None = None

    @property
    def statuses(self) -> frozenset[str] | None:
        """The only ones that a row may have; None for any."""
        named = [f.values for f in self.filters if isinstance(f, OneOf) and f.column == _STATUS]
        return frozenset.intersection(*named) if named else None

    @cached_property
    def other_filters(self) -> list[_Filter]:
        """Those on other columns than the status."""
        return [one for one in self.filters if one.column != _STATUS]

    @property
    def needs_values(self) -> bool:
        """Whether more of a row has to be looked at than its status and its text."""
        return self.sort is not None or bool(self.other_filters)


_STATUS = "fact:status"
_QUERY = TypeAdapter(Query)


def parse_query(text: str) -> Query:
    """A query from JSON. Raises ValueError."""
    return _QUERY.validate_json(text)


class TextSearch:
    """Finds a text in rows, in whatever case; the names of fields do not count."""

    def __init__(self, text: str):
        # As JSON has it, where some characters are written with a backslash.
        escaped = write_json(text).decode()[1:-1]
        self._pattern = re.compile(re.escape(escaped), re.IGNORECASE)

    def finds(self, row: ReportRow) -> bool:
        """Whether a row holds the text."""
        data = row.to_dict()
        is_there = self._pattern.search(write_json(data).decode())
        return is_there is not None and self._is_in(data)

    def _is_in(self, value: Any) -> bool:
        if isinstance(value, dict):
            return any(map(self._is_in, value.values()))
        if isinstance(value, list | tuple):
            return any(map(self._is_in, value))
        return self._pattern.search(write_json(value).decode()) is not None
