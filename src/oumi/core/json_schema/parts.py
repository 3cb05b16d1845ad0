"""Where a JSON schema holds other schemas.

https://json-schema.org/draft/2020-12/json-schema-core#section-10
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any] | bool
"""A schema or a part of one: keywords, or True for anything and False for nothing."""

DEFS = "#/$defs/"
"""How a reference to a definition begins."""

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

IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
"""Keywords whose schemas look at the same value as the schema that holds them."""

NOTES = frozenset(
    {
        "$comment",
        "default",
        "deprecated",
        "description",
        "discriminator",
        "examples",
        "readOnly",
        "title",
        "writeOnly",
    }
)
"""Keywords that say something of a value and ask nothing of it."""


def map_parts(schema: Schema, change: Callable[[str, Any, tuple[str, ...]], Any]) -> Schema:
    """A copy in which `change(keyword, part, path)` takes the place of each part."""
    if isinstance(schema, bool):
        return schema
    changed = dict(schema)
    for keyword, value in schema.items():
        if keyword in _SINGLE and isinstance(value, dict | bool):
            changed[keyword] = change(keyword, value, (keyword,))
        elif keyword in _LISTS and isinstance(value, list):
            changed[keyword] = [
                change(keyword, part, (keyword, str(at))) for at, part in enumerate(value)
            ]
        elif keyword in _MAPS and isinstance(value, dict):
            changed[keyword] = {
                name: change(keyword, part, (keyword, name)) for name, part in value.items()
            }
    return changed


def parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The schemas directly within a schema, each with the keyword that holds it."""
    found: list[tuple[str, Schema]] = []
    map_parts(schema, lambda keyword, part, _: found.append((keyword, part)))
    yield from found


def all_parts(schema: Schema) -> Iterator[dict[str, Any]]:
    """The schema and all schemas within it, but those that are True or False."""
    if isinstance(schema, bool):
        return
    yield schema
    for _, part in parts(schema):
        yield from all_parts(part)


def resolve(reference: str, root: dict[str, Any]) -> Schema:
    """What a reference of the normal form stands for."""
    if reference == "#":
        return root
    found: Schema = root["$defs"][reference.removeprefix(DEFS)]
    return found
