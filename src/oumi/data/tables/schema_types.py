"""Types of columns from a JSON schema, for what answers hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.data.tables.value_types import (
    BOOLEAN,
    INTEGER,
    JSON,
    NULL,
    NUMBER,
    TEXT,
    ValueType,
    common_type,
    type_of,
)

_SIMPLE = {
    "string": TEXT,
    "integer": INTEGER,
    "number": NUMBER,
    "boolean": BOOLEAN,
    "null": NULL,
}
_DEEPEST = 20  # references that lead around in a circle go deeper


def property_types(schema: Mapping[str, Any]) -> dict[str, ValueType] | None:
    """The types of an object's properties, by name; None for a schema of anything else."""
    found = schema_type(schema, schema)
    return dict(found.fields) if found.kind == "struct" else None


def schema_type(schema: Any, root: Mapping[str, Any], depth: int = 0) -> ValueType:
    """The type of the values that a schema takes; JSON text where there is no single one."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return JSON
    if "$ref" in schema:
        return schema_type(_resolve(schema["$ref"], root), root, depth + 1)
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return _one_of([schema_type(one, root, depth + 1) for one in schema[name]])
    if len(schema.get("allOf", ())) == 1:
        return schema_type(schema["allOf"][0], root, depth + 1)
    if "enum" in schema or "const" in schema:
        return _one_of(list(map(type_of, schema.get("enum", [schema.get("const")]))))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return _one_of([_of_kind(kind, schema, root, depth) for kind in kinds])
    return _of_kind(kinds, schema, root, depth)


def _of_kind(
    kind: Any, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int
) -> ValueType:
    if kind == "array" and "prefixItems" not in schema and isinstance(schema.get("items"), Mapping):
        return ValueType("list", schema_type(schema["items"], root, depth + 1))
    properties = schema.get("properties")
    if kind == "object" and properties and isinstance(properties, Mapping):
        fields = {name: schema_type(one, root, depth + 1) for name, one in properties.items()}
        return ValueType("struct", fields=fields)
    return _SIMPLE.get(kind, JSON)


def _one_of(types: list[ValueType]) -> ValueType:
    """The type of values of several types: one of them and null, or numbers."""
    if len({one.kind for one in types} & {"struct", "list"}) and len(set(types) - {NULL}) > 1:
        return JSON  # of alternatives, a struct would hold the fields of all
    return common_type(types)


def _resolve(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found
