"""Types of values in columns: of JSON schemas, and of values where nothing says their type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from oumi.core.json_text import write_json
from oumi.data.records.values import to_plain

_INT64 = range(-(2**63), 2**63)
_MOST_FIELDS = 200
"""An object with more names than that is a mapping, whose names are values themselves."""


@dataclass(frozen=True)
class ValueType:
    """A type of values that tables have. Whatever else JSON has is JSON text there."""

    kind: str
    """`null`, `text`, `integer`, `number`, `boolean`, `list`, `struct`, `json`, or `vector`: a list
    of numbers of 32 bits."""
    item: ValueType | None = None
    """Of a list."""
    fields: Mapping[str, ValueType] = field(default_factory=dict)
    """Of a struct."""


NULL, TEXT, INTEGER, NUMBER, BOOLEAN, JSON, VECTOR = (
    ValueType(kind) for kind in ("null", "text", "integer", "number", "boolean", "json", "vector")
)


def type_of(value: Any) -> ValueType:
    """The type of a value as `to_plain` gives it."""
    match value:
        case None:
            return NULL
        case bool():
            return BOOLEAN
        case int():
            return INTEGER if value in _INT64 else JSON
        case float():
            return NUMBER
        case str():
            return TEXT
        case list():
            return ValueType("list", common_type(map(type_of, value)))
        case dict() if value and len(value) <= _MOST_FIELDS:
            return ValueType("struct", fields={name: type_of(one) for name, one in value.items()})
    return JSON


def common_type(types: Iterable[ValueType]) -> ValueType:
    """The narrowest type that takes values of all of them."""
    found = NULL
    for one in types:
        found = _merge(found, one)
    return found


def _merge(one: ValueType, other: ValueType) -> ValueType:
    if one == other or other == NULL:
        return one
    kinds = {one.kind, other.kind}
    if one == NULL:
        return other
    if kinds == {"integer", "number"}:
        return NUMBER
    if kinds == {"list"}:
        return ValueType("list", common_type([one.item or NULL, other.item or NULL]))
    names = list(dict.fromkeys([*one.fields, *other.fields]))
    if kinds != {"struct"} or len(names) > _MOST_FIELDS:
        return JSON
    fields = {n: _merge(one.fields.get(n, NULL), other.fields.get(n, NULL)) for n in names}
    return ValueType("struct", fields=fields)


def convert(value: Any, kind: ValueType) -> Any:
    """A value as its type has it. Raises ValueError for one that the type has no place for."""
    if value is None:
        return None
    match kind.kind:
        case "json":
            return write_json(to_plain(value)).decode()
        case "list":
            item = kind.item or NULL
            return [convert(one, item) for one in _expect(value, list)]
        case "struct":
            given = _expect(value, dict)
            return {name: convert(given.get(name), one) for name, one in kind.fields.items()}
        case "number":
            return float(_expect(value, int | float))
        case "integer":
            return _integer(value)
        case "boolean":
            return _expect(value, bool)
        case "vector":
            return _expect(value, list)
        case "text":
            return value if isinstance(value, str) else str(to_plain(value))
    raise ValueError(f"no value of any type: {value!r:.60}")


def check_values(values: Mapping[str, Any], types: Mapping[str, ValueType]) -> None:
    """Raise ValueError for a value that has no place in its column."""
    for name, kind in types.items():
        convert(values[name], kind)


def _integer(value: Any) -> int:
    number = int(_expect(value, int | float))
    if number != value or number not in _INT64:
        raise ValueError(f"{value} is no integer of 64 bits")
    return number


def _expect(value: Any, kind: Any) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{value!r:.60} is not of the column's type")
    return value
