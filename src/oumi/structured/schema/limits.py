"""Checks that a schema stays within a provider's limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oumi.core.json_schema.subschemas import Schema, all_schemas, resolve, subschemas
from oumi.structured.schema.errors import SchemaNotSupportedError
from oumi.structured.schema.profiles import SchemaProfile
from oumi.structured.schema.values import enum_of

# An `enum` of more than 250 values may have 15,000 characters in all:
# https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
_LONG_ENUM_VALUES, _LONG_ENUM_MAX_CHARACTERS = 250, 15_000


def check_limits(schema: dict[str, Any], profile: SchemaProfile) -> None:
    """Raise SchemaNotSupportedError naming the first limit that a schema exceeds."""
    schemas = list(all_schemas(schema))
    fields = [name for one in schemas for name in one.get("properties", {})]
    values = [value for one in schemas for value in one.get("enum", ())]
    optional = sum(len(one.get("properties", {}).keys() - _required(one)) for one in schemas)
    unions = sum("anyOf" in one or isinstance(one.get("type"), list) for one in schemas)
    alternatives = max((len(one.get("anyOf", ())) for one in schemas), default=0)
    _check("fields", len(fields), profile.max_properties)
    _check("values in enum", len(values), profile.max_values)
    _check("optional fields", optional, profile.max_optional)
    _check("parts with alternatives", unions, profile.max_unions)
    _check("alternatives in one anyOf", alternatives, profile.max_alternatives)
    if profile.max_levels is not None:
        _check("levels", _depth(schema, schema, {}), profile.max_levels)
    if profile.max_characters is not None:
        characters = sum(map(len, _texts(schema, schemas)))
        _check("characters in names and values", characters, profile.max_characters)
        longest = _longest_enum_characters(schemas)
        _check("characters in one long enum", longest, _LONG_ENUM_MAX_CHARACTERS)


def _check(what: str, count: int, limit: int | None) -> None:
    if limit is not None and count > limit:
        raise SchemaNotSupportedError(f"{count:,} {what}; at most {limit:,} are taken")


def _required(schema: dict[str, Any]) -> set[str]:
    return set(schema.get("required", ()))


def _depth(schema: Schema, root: dict[str, Any], known: dict[str, int]) -> int:
    """How many objects and arrays are nested within each other.

    `known` holds the depth of each reference, and 0 for one that is being followed, so that a
    recursive one counts once.
    """
    if isinstance(schema, bool):
        return 0
    reference = schema.get("$ref")
    if reference is not None:
        if reference not in known:
            known[reference] = 0
            known[reference] = _depth(resolve(reference, root), root, known)
        return known[reference]
    inner = [_depth(one, root, known) for key, one in subschemas(schema) if key != "$defs"]
    return max(inner, default=0) + (schema.get("type") in ("object", "array"))


def _texts(root: dict[str, Any], schemas: list[dict[str, Any]]) -> Iterator[str]:
    """The names of definitions and fields, and all values of `enum` and `const`."""
    yield from root.get("$defs", {})
    for schema in schemas:
        yield from schema.get("properties", {})
        yield from (str(value) for value in enum_of(schema) or ())


def _longest_enum_characters(schemas: list[dict[str, Any]]) -> int:
    enums = [schema.get("enum", ()) for schema in schemas]
    long = [values for values in enums if len(values) > _LONG_ENUM_VALUES]
    return max((sum(len(str(value)) for value in values) for values in long), default=0)
