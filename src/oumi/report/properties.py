"""What stands in structured answers: how each property of them is distributed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from oumi.core.json_text import parse_json
from oumi.report.bins import Numbers

_MOST_PROPERTIES = 60
"""A page with more charts than that is looked at by nobody."""
_DEPTH = 3
_MOST_VALUES = 1000
"""Different texts of a property that are counted one by one; 100 kB a property at most."""
_LONGEST_VALUE = 100
_SHOWN_VALUES = 30
_LARGEST = 1e300
"""Beyond it bins would begin where no float is: such numbers count by their kind alone."""


def parse_answer(text: str | None) -> Any:
    """The JSON value of an answer that is an object or a list; None for any other."""
    if not text or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return parse_json(text)
    except ValueError:
        return None


def flatten(value: Any, name: str = "", depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    """The properties of an object, those of objects in it under names such as `address.city`, and
    the items of lists under names such as `tags[]`.
    """
    if isinstance(value, dict) and depth:
        for part, inner in value.items():
            yield from flatten(inner, f"{name}.{part}" if name else str(part), depth - 1)
        return
    yield name, value
    if isinstance(value, list):
        for item in value:
            if not isinstance(item, dict | list):
                yield f"{name}[]", item


class Property:
    """The values of one property."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._values: Counter[str] = Counter()
        self._has_more = False
        self._numbers = Numbers()
        self._lengths = Numbers()

    def add(self, value: Any, times: int = 1) -> None:
        """Count a value; -1 times takes back one that was counted."""
        kind = _kind_of(value)
        self._kinds[kind] += times
        if kind == "number":
            self._add_number(value, times)
        elif kind == "list":
            self._lengths.add(len(value), times)
        elif kind in ("text", "boolean"):
            text = value if kind == "text" else str(value).lower()
            self._lengths.add(len(text), times)
            self._add_text(text, times)

    def _add_number(self, value: float, times: int) -> None:
        if abs(value) <= _LARGEST:
            self._numbers.add(float(value), times)

    def _add_text(self, text: str, times: int) -> None:
        if text in self._values:
            self._values[text] += times
            if not self._values[text]:
                del self._values[text]
        elif times > 0 and len(text) <= _LONGEST_VALUE and len(self._values) < _MOST_VALUES:
            self._values[text] = times
        else:
            self._has_more = True

    @property
    def is_choice(self) -> bool:
        """Whether the same few texts come again and again."""
        count = self._values.total()
        return not self._has_more and 0 < len(self._values) <= max(2, min(50, count // 3))

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values. `values` are the most frequent texts, all of them for choices."""
        return {
            "kinds": {kind: count for kind, count in self._kinds.items() if count},
            "is_choice": self.is_choice,
            "values": self._values.most_common(50 if self.is_choice else _SHOWN_VALUES),
            "different": None if self._has_more else len(self._values),
            "numbers": self._numbers.to_dict(),
            "lengths": self._lengths.to_dict(),
        }


class Properties:
    """The properties of all answers that are JSON, and the plain texts of all others."""

    def __init__(self) -> None:
        self._objects = 0
        self._texts = Property()
        self._by_name: dict[str, Property] = {}
        self._has_more = False

    def add(self, text: str | None, value: Any, times: int = 1) -> None:
        """Count an answer, of which `value` is what `parse_answer` gave; -1 times takes back one
        that was counted.
        """
        if text is None:
            return
        if value is None:
            self._texts.add(text, times)
            return
        self._objects += times
        for name, part in flatten(value):
            if (found := self._find(name or "(items)")) is not None:
                found.add(part, times)

    def _find(self, name: str) -> Property | None:
        found = self._by_name.get(name)
        if found is None:
            if len(self._by_name) >= _MOST_PROPERTIES:
                self._has_more = True
                return None
            found = self._by_name[name] = Property()
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values; `texts` only where answers are choices."""
        return {
            "objects": self._objects,
            "has_more": self._has_more,
            "texts": self._texts.to_dict() if self._texts.is_choice else None,
            "by_name": {name: found.to_dict() for name, found in self._by_name.items()},
        }


def scalars(value: Any) -> Mapping[str, Any]:
    """The properties of an answer that a column of a table can show."""
    if not isinstance(value, dict):
        return {}
    return {
        name: part
        for name, part in flatten(value)
        if not name.endswith("[]") and not isinstance(part, dict | list)
    }


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"
