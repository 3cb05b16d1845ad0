"""Several schemas that apply to one value (`allOf`), merged into one schema.

Most providers do not accept `allOf`. Keywords are merged one by one, where a single keyword can say
what both say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from oumi.core.json_schema.keywords import ANNOTATIONS, ARRAY_KEYWORDS
from oumi.core.json_schema.subschemas import Schema, resolve
from oumi.structured.schema.errors import SchemaNotSupportedError
from oumi.structured.schema.values import expand_types, is_one_of

# These apply to the fields that `properties` beside them does not name.
_OTHER_FIELDS = ("additionalProperties", "patternProperties", "unevaluatedProperties")
# Keywords of one group work together, so they cannot be merged one by one.
_DEPENDENT_GROUPS = ({"if", "then", "else"}, ARRAY_KEYWORDS)
# Array keywords that do not depend on each other, unless `prefixItems` is there.
_INDEPENDENT_ARRAY_KEYWORDS = {"items", "minItems", "maxItems", "uniqueItems"}
_TIGHTER_BOUND: dict[str, Callable[[Any, Any], Any]] = {
    "minimum": max,
    "exclusiveMinimum": max,
    "minLength": max,
    "minItems": max,
    "minProperties": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "maxLength": min,
    "maxItems": min,
    "maxProperties": min,
}


def flatten(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema with its `allOf`, and a `$ref` that has other keywords beside it, merged in.

    Raises SchemaNotSupportedError for schemas that cannot be merged.
    """
    others = [dict(other) for other in _other_schemas(schema, root)]
    if not others:
        return schema
    merged = {key: value for key, value in schema.items() if key not in ("allOf", "$ref")}
    for other in others:
        merged = merge(merged, flatten(other, root))
    return merged


def _other_schemas(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas that a value has to satisfy in addition to the keywords themselves."""
    is_plain_reference = not schema.keys() - {"$ref"} - ANNOTATIONS
    others = [*schema.get("allOf", ())]
    if "$ref" in schema and not is_plain_reference:
        others.append({"$ref": schema["$ref"]})
    for other in others:
        while isinstance(other, dict) and other.keys() == {"$ref"}:
            other = resolve(other["$ref"], root)
        if other is False:
            raise SchemaNotSupportedError("allOf: false")
        if other is not True:
            yield other


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """One schema that accepts what both accept.

    Raises SchemaNotSupportedError if their keywords cannot express it.
    """
    _check_independent(one, other)
    merged = dict(one)
    for key, value in other.items():
        if key not in one or one[key] == value:
            merged[key] = value
        elif key not in ANNOTATIONS:
            merged[key] = _merge_keyword(key, one[key], value)
    return merged


def _check_independent(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise SchemaNotSupportedError where a keyword would change its meaning.

    Some keywords depend on those beside them, and merging puts new ones there.
    """
    for first, second in ((one, other), (other, one)):
        new_fields = second.get("properties", {}).keys() - first.get("properties", {}).keys()
        is_open = all(first.get(key, True) is True for key in _OTHER_FIELDS)
        if (new_fields or any(key in second for key in _OTHER_FIELDS)) and not is_open:
            raise SchemaNotSupportedError("allOf of objects that are closed")
    for group in _DEPENDENT_GROUPS:
        keys, other_keys = one.keys() & group, other.keys() & group
        if keys and other_keys and not keys | other_keys <= _INDEPENDENT_ARRAY_KEYWORDS:
            raise SchemaNotSupportedError(f"allOf with several {min(keys)}")


def _merge_keyword(key: str, one: Any, other: Any) -> Any:
    if key in _TIGHTER_BOUND:
        return _TIGHTER_BOUND[key](one, other)
    if key == "required":
        return [*one, *(name for name in other if name not in one)]
    if key == "type":
        shared = expand_types(one) & expand_types(other)
        types = shared - {"integer"} if "number" in shared else shared
        return _require_any(key, sorted(types))
    if key == "enum":
        return _require_any(key, [value for value in one if is_one_of(value, other)])
    if key == "properties":
        return {name: _merge_field(one.get(name), other.get(name)) for name in {**one, **other}}
    raise SchemaNotSupportedError(f"allOf with several {key}")


def _merge_field(one: Schema | None, other: Schema | None) -> Schema:
    if one is None or other is None or one == other:
        found = other if one is None else one
        return True if found is None else found
    return {"allOf": [one, other]}  # merged when the rewriter gets there


def _require_any(key: str, found: list[Any]) -> list[Any]:
    if not found:
        raise SchemaNotSupportedError(f"allOf: nothing has both {key}")
    return found
