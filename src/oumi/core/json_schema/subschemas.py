"""The subschemas of a JSON schema: which keywords hold them, and how to walk through them.

The specification calls such keywords applicators:
https://json-schema.org/draft/2020-12/json-schema-core#section-10
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any] | bool
"""A schema: a dict of keywords, or True (accepts anything) or False (accepts nothing)."""

DEFS = "#/$defs/"
"""The prefix of a reference to a definition."""

_SINGLE = frozenset(
    {
        "additionalProperties",
        "contains",
        "contentSchema",
        "else",
        "if",
        "items",
        "not",
        "propertyNames",
        "then",
        "unevaluatedItems",
        "unevaluatedProperties",
    }
)
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})

APPLICATORS = _SINGLE | _LISTS | _MAPS
"""The keywords that hold subschemas."""

IN_PLACE_APPLICATORS = frozenset(
    {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"}
)
"""Keywords whose subschemas apply to the same value as the schema that holds them."""


def map_subschemas(schema: Schema, change: Callable[[str, Any], Any]) -> Schema:
    """A copy in which each direct subschema is replaced by `change(keyword, subschema)`.

    Values of the wrong type, which only a schema not yet validated has, stay unchanged.
    """
    if isinstance(schema, bool):
        return schema
    changed = dict(schema)
    for keyword, value in schema.items():
        if keyword in _SINGLE and isinstance(value, dict | bool):
            changed[keyword] = change(keyword, value)
        elif keyword in _LISTS and isinstance(value, list):
            changed[keyword] = [change(keyword, item) for item in value]
        elif keyword in _MAPS and isinstance(value, dict):
            changed[keyword] = {name: change(keyword, item) for name, item in value.items()}
    return changed


def subschemas(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The direct subschemas, each with the keyword that holds it."""
    found: list[tuple[str, Schema]] = []
    map_subschemas(schema, lambda keyword, subschema: found.append((keyword, subschema)))
    yield from found


def all_schemas(schema: Schema) -> Iterator[dict[str, Any]]:
    """The schema itself and every subschema at any depth, without those that are booleans."""
    if isinstance(schema, bool):
        return
    yield schema
    for _, subschema in subschemas(schema):
        yield from all_schemas(subschema)


def resolve(reference: str, root: dict[str, Any]) -> Schema:
    """The schema that a reference of the normal form (`#` or `#/$defs/NAME`) points to."""
    if reference == "#":
        return root
    found: Schema = root["$defs"][reference.removeprefix(DEFS)]
    return found
