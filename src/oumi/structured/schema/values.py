"""Which values a schema accepts, judged by its keywords `type`, `enum` and `const` alone.

`type` here is that of JSON Schema: https://json-schema.org/understanding-json-schema/reference/type
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from oumi.core.json_schema.subschemas import Schema, all_schemas, resolve

_SCALAR_TYPES = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_MAX_NESTING = 3  # objects whose fields tell them apart, within each other
_MAX_JUDGED = 100  # values of an enum that are tried on another schema
_ALL_TYPES = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})


def type_of(value: Any) -> str:
    """The JSON Schema type of a value."""
    if isinstance(value, dict):
        return "object"
    return _SCALAR_TYPES.get(type(value), "array")


def expand_types(types: str | list[str]) -> set[str]:
    """The types that a `type` keyword accepts: "number" includes integers."""
    listed = {types} if isinstance(types, str) else set(types)
    return listed | {"integer"} if "number" in listed else listed


def types_of(schema: dict[str, Any]) -> set[str]:
    """The types of value that a schema may accept: all that it does not exclude."""
    if "type" in schema:
        return expand_types(schema["type"])
    values = enum_of(schema)
    if values is not None:
        return {name for value in values for name in expand_types(type_of(value))}
    return set(_ALL_TYPES)


def enum_of(schema: Any) -> list[Any] | None:
    """The values listed by `enum` or `const`; None if the schema has neither."""
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def is_one_of(value: Any, values: list[Any]) -> bool:
    """Whether a value is in a list; unlike in Python, true is not 1."""
    is_bool = isinstance(value, bool)
    return any(value == other and is_bool == isinstance(other, bool) for other in values)


def have_disjoint_enums(one: Schema | None, other: Schema | None) -> bool:
    """Whether both schemas list their values (see `enum_of`) and have none in common."""
    values, other_values = enum_of(one), enum_of(other)
    if values is None or other_values is None:
        return False
    return not any(is_one_of(value, other_values) for value in values)


def are_disjoint(branches: list[Schema], root: dict[str, Any]) -> bool:
    """Whether surely no value satisfies two of the schemas. In doubt False."""
    return all(_exclude_each_other(one, other, root, 0) for one, other in combinations(branches, 2))


def _target(schema: Schema | None, root: dict[str, Any]) -> dict[str, Any]:
    """What a reference points to in the end; any other schema itself."""
    while isinstance(schema, dict) and "$ref" in schema:
        schema = resolve(schema["$ref"], root)
    return schema if isinstance(schema, dict) else {}


def _exclude_each_other(
    first: Schema | None, second: Schema | None, root: dict[str, Any], depth: int
) -> bool:
    if first is False or second is False:
        return True
    one, other = _target(first, root), _target(second, root)
    types = types_of(one) & types_of(other)
    if not types:
        return True
    if enum_of(one) is not None or enum_of(other) is not None:
        return have_disjoint_enums(one, other) or _lists_what_the_other_refuses(one, other)
    if types != {"object"}:
        return False
    required, other_required = set(one.get("required", ())), set(other.get("required", ()))
    if any(_forbids(other, name) for name in required):
        return True
    if any(_forbids(one, name) for name in other_required):
        return True
    fields, other_fields = one.get("properties", {}), other.get("properties", {})
    return depth < _MAX_NESTING and any(
        _exclude_each_other(fields[name], other_fields[name], root, depth + 1)
        for name in required & other_required & fields.keys() & other_fields.keys()
    )


def _forbids(schema: dict[str, Any], name: str) -> bool:
    """Whether an object may not have a field of this name."""
    fields = schema.get("properties", {})
    if name in fields:
        return fields[name] is False
    return schema.get("additionalProperties") is False and "patternProperties" not in schema


def _lists_what_the_other_refuses(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether one of the schemas lists its values, and the other takes none of them."""
    import jsonschema_rs

    for listing, judging in ((one, other), (other, one)):
        values = enum_of(listing)
        if values is not None and len(values) <= _MAX_JUDGED:
            # One with references cannot be taken out of its root.
            if any("$ref" in schema for schema in all_schemas(judging)):
                return False
            is_valid = jsonschema_rs.validator_for(judging).is_valid
            return not any(map(is_valid, values))
    return False
