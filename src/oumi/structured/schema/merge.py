"""Several schemas for one value as one schema, where that can be told from the schemas alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from oumi.core.json_schema.parts import NOTES, Schema, resolve
from oumi.structured.schema.profiles import ARRAY

_SCALAR_KINDS = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    type(None): "null",
}
_KINDS = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})
_FIELDS = ("additionalProperties", "patternProperties", "unevaluatedProperties")
_GROUPS = ({"if", "then", "else"}, ARRAY)
_OF_ONE_KIND_OF_ITEM = {"items", "minItems", "maxItems", "uniqueItems"}
_BOUNDS: dict[str, Callable[[Any, Any], Any]] = {
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


class SchemaNotSupportedError(Exception):
    """A schema cannot be made to meet a provider's rules; says which keyword stands in the way."""


def flatten(part: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """The schema with its `allOf`, and a `$ref` that has neighbours, taken into itself.

    Raises SchemaNotSupportedError for schemas that cannot be taken together.
    """
    others = [dict(other) for other in _others(part, root)]
    own = {key: value for key, value in part.items() if key not in ("allOf", "$ref")}
    if not others:
        return part
    for other in others:
        own = merge(own, flatten(other, root))
    return own


def _others(part: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas that a value has to meet besides the keywords themselves."""
    alone = not part.keys() - {"$ref"} - NOTES
    found = [*part.get("allOf", ())]
    if "$ref" in part and not alone:
        found.append({"$ref": part["$ref"]})
    for other in found:
        while isinstance(other, dict) and other.keys() == {"$ref"}:
            other = resolve(other["$ref"], root)
        if other is False:
            raise SchemaNotSupportedError("allOf: false")
        if other is not True:
            yield other


def merge(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """One schema for both. Raises SchemaNotSupportedError where their keywords do not say it."""
    _check_independent(one, other)
    merged = dict(one)
    for key, value in other.items():
        if key not in one or one[key] == value:
            merged[key] = value
        elif key not in NOTES:
            merged[key] = _merge_values(key, one[key], value)
    return merged


def _check_independent(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A keyword that looks at its neighbours must not get new ones."""
    for first, second in ((one, other), (other, one)):
        fresh = second.get("properties", {}).keys() - first.get("properties", {}).keys()
        open_ended = all(first.get(key, True) is True for key in _FIELDS)
        if (fresh or any(key in second for key in _FIELDS)) and not open_ended:
            raise SchemaNotSupportedError("allOf of objects that are closed")
    for group in _GROUPS:
        own, others = one.keys() & group, other.keys() & group
        if own and others and not own | others <= _OF_ONE_KIND_OF_ITEM:
            raise SchemaNotSupportedError(f"allOf with several {min(own)}")


def _merge_values(key: str, one: Any, other: Any) -> Any:
    if key in _BOUNDS:
        return _BOUNDS[key](one, other)
    if key == "required":
        return [*one, *(name for name in other if name not in one)]
    if key == "type":
        shared = _expand(one) & _expand(other)
        return sorted(shared - {"integer"} if "number" in shared else shared) or _nothing(key)
    if key == "enum":
        return [value for value in one if is_one_of(value, other)] or _nothing(key)
    if key == "properties":
        return {name: _both(one.get(name), other.get(name)) for name in {**one, **other}}
    raise SchemaNotSupportedError(f"allOf with several {key}")


def _both(one: Schema | None, other: Schema | None) -> Schema:
    if one is None or other is None or one == other:
        found = other if one is None else one
        return True if found is None else found
    return {"allOf": [one, other]}


def _nothing(key: str) -> Any:
    raise SchemaNotSupportedError(f"allOf: nothing has both {key}")


def _expand(kinds: str | list[str]) -> set[str]:
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    return found | {"integer"} if "number" in found else found


def are_disjoint(branches: list[Schema], root: dict[str, Any]) -> bool:
    """Whether it is plain that no value meets two of the schemas."""
    leaves = [_leaf(branch, root) for branch in branches]
    return all(_differ(one, other) for one, other in combinations(leaves, 2))


def _leaf(branch: Schema, root: dict[str, Any]) -> dict[str, Any]:
    while isinstance(branch, dict) and "$ref" in branch:
        branch = resolve(branch["$ref"], root)
    return branch if isinstance(branch, dict) else {}


def _differ(one: dict[str, Any], other: dict[str, Any]) -> bool:
    kinds, others = kinds_of(one), kinds_of(other)
    if not kinds & others:
        return True
    if kinds == others == {"object"}:
        shared = set(one.get("required", ())) & set(other.get("required", ()))
        fields, other_fields = one.get("properties", {}), other.get("properties", {})
        return any(_values_differ(fields.get(name), other_fields.get(name)) for name in shared)
    return _values_differ(one, other)


def _values_differ(one: Any, other: Any) -> bool:
    values, others = values_of(one), values_of(other)
    if values is None or others is None:
        return False
    return not any(is_one_of(value, others) for value in values)


def is_one_of(value: Any, values: list[Any]) -> bool:
    """Whether a value is among others; in JSON true is not 1."""
    is_bool = isinstance(value, bool)
    return any(value == other and is_bool == isinstance(other, bool) for other in values)


def values_of(part: Any) -> list[Any] | None:
    """The values that `const` or `enum` leave; None where there are neither."""
    if not isinstance(part, dict):
        return None
    if "const" in part:
        return [part["const"]]
    values: list[Any] | None = part.get("enum")
    return values


def kinds_of(part: dict[str, Any]) -> set[str]:
    """The kinds of value that a schema leaves; all that it does not rule out."""
    if "type" in part:
        return _expand(part["type"])
    values = values_of(part)
    if values is not None:
        return {kind for value in values for kind in _expand(kind_of(value))}
    return set(_KINDS)


def kind_of(value: Any) -> str:
    """The kind of a value, in the words of JSON Schema."""
    if isinstance(value, dict):
        return "object"
    return _SCALAR_KINDS.get(type(value), "array")
