"""The schema of all values that another schema refuses, where keywords can say it.

By it `not`, `if`, and `oneOf` whose branches overlap become plain alternatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oumi.core.json_schema.keywords import ASSERTIONS
from oumi.core.json_schema.subschemas import Schema, all_schemas, resolve
from oumi.structured.sampler.texts import all_but
from oumi.structured.schema.values import expand_types, type_of

# Alternatives multiply when they are intersected; more than this would slow the sampler down.
_MAX_SCHEMAS = 60
_MAX_DEPTH = 8  # references followed within each other; recursive ones have no finite negation

_Alternatives = list[Schema] | None


def negate(schema: Schema, root: dict[str, Any]) -> Schema | None:
    """The schema that accepts what `schema` refuses, and nothing else; None if there is none."""
    negation = _Negation(root).negate(schema)
    if isinstance(negation, dict) and sum(1 for _ in all_schemas(negation)) > _MAX_SCHEMAS:
        return None
    return negation


class _Negation:
    def __init__(self, root: dict[str, Any]):
        self._root = root
        self._depth = 0

    def negate(self, schema: Schema) -> Schema | None:
        if isinstance(schema, bool):
            return not schema
        found: list[Schema] = []
        for keyword in filter(ASSERTIONS.__contains__, schema):
            refused = self._refused(keyword, schema[keyword])
            if refused is None:
                return None
            found += refused
        if not found:
            return False
        return found[0] if len(found) == 1 else {"anyOf": found}

    def _refused(self, keyword: str, value: Any) -> _Alternatives:
        """Schemas that together accept what one keyword refuses; None if none can say it."""
        match keyword:
            case "not":
                return [value]
            case "allOf":
                return self._each(value)
            case "anyOf":
                negated = self._each(value)
                return None if negated is None else [{"allOf": negated}]
            case "properties":
                return self._refused_fields(value)
            case "$ref":
                return self._refused_reference(value)
            case _ if keyword in _OF_KEYWORD:
                return _OF_KEYWORD[keyword](value)
        return None

    def _each(self, schemas: list[Schema]) -> _Alternatives:
        negated = [self.negate(schema) for schema in schemas]
        return None if None in negated else [one for one in negated if one is not None]

    def _refused_fields(self, fields: dict[str, Schema]) -> _Alternatives:
        found: list[Schema] = []
        for name, schema in fields.items():
            negated = self.negate(schema)
            if negated is None:
                return None
            if negated is not False:
                field = {"properties": {name: negated}, "required": [name]}
                found.append({"type": "object", **field})
        return found

    def _refused_reference(self, reference: str) -> _Alternatives:
        if self._depth >= _MAX_DEPTH:
            return None
        self._depth += 1
        negated = self.negate(resolve(reference, self._root))
        self._depth -= 1
        return None if negated is None else [negated]


def _refused_types(types: str | list[str]) -> _Alternatives:
    given = expand_types(types)
    if "integer" in given and "number" not in given:
        return None  # no keyword is for numbers that are no integers
    others = [name for name in _TYPES if name not in given]
    return [{"type": others}] if others else []


def _refused_values(values: list[Any]) -> _Alternatives:
    """What accepts all values but these; they must be scalars."""
    kinds = {"number" if type_of(v) == "integer" else type_of(v) for v in values}
    if kinds & {"object", "array"}:
        return None
    found: list[Schema] = [{"type": [name for name in _TYPES if name not in kinds]}]
    if "string" in kinds:
        pattern = all_but([value for value in values if isinstance(value, str)])
        if pattern is None:
            return None
        found.append({"type": "string", "pattern": pattern})
    if "boolean" in kinds:
        found += [{"const": one} for one in (True, False) if not any(v is one for v in values)]
    numbers = sorted(v for v in values if isinstance(v, int | float) and not isinstance(v, bool))
    return found + (_between(numbers) if numbers else [])


def _between(numbers: list[float]) -> list[Schema]:
    """The gaps below, between and above some numbers."""
    below, above = [None, *numbers], [*numbers, None]
    return [
        {
            "type": "number",
            **({} if low is None else {"exclusiveMinimum": low}),
            **({} if high is None else {"exclusiveMaximum": high}),
        }
        for low, high in zip(below, above, strict=True)
        if low is None or high is None or low < high
    ]


def _refused_without(names: list[str]) -> _Alternatives:
    return [{"type": "object", "properties": {name: False}} for name in names]


def _beyond(type_name: str, keyword: str, step: int) -> Callable[[Any], _Alternatives]:
    """The opposite bound, which is `step` away; no length is below 0."""

    def refused(bound: Any) -> _Alternatives:
        is_possible = step == 0 or bound + step >= 0
        return [{"type": type_name, keyword: bound + step}] if is_possible else []

    return refused


_TYPES = ("string", "number", "boolean", "null", "array", "object")
_OF_KEYWORD: dict[str, Callable[[Any], _Alternatives]] = {
    "type": _refused_types,
    "enum": _refused_values,
    "const": lambda value: _refused_values([value]),
    "required": _refused_without,
    "minimum": _beyond("number", "exclusiveMaximum", 0),
    "maximum": _beyond("number", "exclusiveMinimum", 0),
    "exclusiveMinimum": _beyond("number", "maximum", 0),
    "exclusiveMaximum": _beyond("number", "minimum", 0),
    "minLength": _beyond("string", "maxLength", -1),
    "maxLength": _beyond("string", "minLength", 1),
    "minItems": _beyond("array", "maxItems", -1),
    "maxItems": _beyond("array", "minItems", 1),
    "minProperties": _beyond("object", "maxProperties", -1),
    "maxProperties": _beyond("object", "minProperties", 1),
}
