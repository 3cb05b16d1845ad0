"""How many characters a value of a schema takes at the least, and whether it may go on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from oumi.core.json_schema.subschemas import Schema, resolve
from oumi.core.json_text import write_json
from oumi.structured.schema.values import enum_of, types_of

_OF_NAME = 6  # quotes, colon, comma and spaces of a field
_SHORTEST = {"string": 2, "number": 1, "integer": 1, "boolean": 4, "null": 4, "array": 2}
_MANY = 1_000_000  # of what has no end
_SHORT = 40  # letters; also what the longest of the formats below has
_SHORT_FORMATS = frozenset({"date", "ipv4", "ipv6", "uuid"})
_REPEATS = re.compile(r"[*+]|,\}")  # of what may be repeated without end


class Sizes:
    """The sizes of the subschemas of one schema."""

    def __init__(self, root: dict[str, Any]):
        self._root = root
        self._known: dict[str, tuple[int, bool]] = {}

    def least(self, schema: Schema) -> int:
        """The characters of a short value, as it is written with spaces after commas."""
        return self._measure(schema)[0]

    def is_open(self, schema: Schema) -> bool:
        """Whether values may be of any length: texts, lists and objects without a limit."""
        return self._measure(schema)[1]

    def of_names(self, names: Iterable[str]) -> int:
        """What the fields of an object take besides their values."""
        return sum(len(name) + _OF_NAME for name in names)

    def of_field(self, name: str, schema: Schema) -> int:
        """What a field takes with a short value."""
        return len(name) + _OF_NAME + self.least(schema)

    def _measure(self, schema: Schema) -> tuple[int, bool]:
        if isinstance(schema, bool) or not schema:
            return (2, schema is not False)
        values = enum_of(schema)
        if values is not None:
            return min((len(write_json(value)) for value in values), default=0), False
        joined = [self._measure(one) for one in schema.get("allOf", ())]
        if "$ref" in schema:
            joined.append(self._measure_reference(schema["$ref"]))
        if branches := [self._measure(one) for one in schema.get("anyOf", ())]:
            joined.append((min(b[0] for b in branches), any(b[1] for b in branches)))
        types = types_of(schema) if _is_typed(schema) else ()
        if own := [self._measure_type(schema, name) for name in types]:
            joined.append((min(size for size, _ in own), any(is_open for _, is_open in own)))
        return max((size for size, _ in joined), default=2), any(is_open for _, is_open in joined)

    def _measure_reference(self, reference: str) -> tuple[int, bool]:
        if reference not in self._known:
            self._known[reference] = (_MANY, True)  # until it is known: it leads back here
            self._known[reference] = self._measure(resolve(reference, self._root))
        return self._known[reference]

    def _measure_type(self, schema: dict[str, Any], type_name: str) -> tuple[int, bool]:
        if type_name == "object":
            return self._measure_object(schema)
        if type_name == "array":
            items, is_open = self._measure(schema.get("items", True))
            least = int(schema.get("minItems", 0))
            return 2 + least * (items + 2), is_open or "maxItems" not in schema
        if type_name == "string":
            has_form = schema.keys() & {"format", "pattern"}
            size = int(schema.get("minLength", 8 if has_form else 0))
            return size + 2, is_open_text(schema)
        return _SHORTEST[type_name], False

    def _measure_object(self, schema: dict[str, Any]) -> tuple[int, bool]:
        fields, required = schema.get("properties", {}), schema.get("required", ())
        measured = {name: self._measure(one) for name, one in fields.items()}
        size = 2 + sum(len(name) + _OF_NAME + measured.get(name, (2, True))[0] for name in required)
        is_closed = schema.get("additionalProperties") is False and not schema.get(
            "patternProperties"
        )
        return min(size, _MANY), not is_closed or any(is_open for _, is_open in measured.values())


def is_open_text(schema: dict[str, Any]) -> bool:
    """Whether texts may be longer than what is short enough for any answer."""
    if schema.get("maxLength", _MANY) <= _SHORT or schema.get("format") in _SHORT_FORMATS:
        return False
    return "pattern" not in schema or _REPEATS.search(schema["pattern"]) is not None


def _is_typed(schema: dict[str, Any]) -> bool:
    return "type" in schema or not schema.keys() & {"$ref", "anyOf", "allOf"}
