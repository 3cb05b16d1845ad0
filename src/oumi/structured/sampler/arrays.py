"""Arrays as samplers keep them: few items that differ, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

from oumi.core.json_schema.subschemas import Schema, resolve
from oumi.structured.sampler.context import Context
from oumi.structured.schema.values import enum_of, is_one_of

# Four values make 64 arrays without a repetition, five 326: each is an alternative.
_MAX_VALUES = 4


def of_unique(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """`uniqueItems` as the arrays that there are, if they are few, and else as a largest length."""
    if schema["uniqueItems"] is not True or _max_items(schema) <= 1:
        return {}
    values = _values_of_items(schema, context.root)
    if values is None:
        context.leave("uniqueItems", at)
        return {}
    if len(values) > _MAX_VALUES:
        context.leave("uniqueItems", at)
        return {"maxItems": min(len(values), _max_items(schema))}
    least, most = int(schema.get("minItems", 0)), int(min(_max_items(schema), len(values)))
    arrays = [
        {"const": list(items)}
        for length in range(least, most + 1)
        for items in permutations(values, length)
    ]
    others = {"type": ["string", "number", "boolean", "null", "object"]}
    return {"anyOf": [*arrays, others]}


def _max_items(schema: dict[str, Any]) -> float:
    prefix, items = schema.get("prefixItems", ()), schema.get("items", True)
    most = len(prefix) if items is False else float("inf")
    return float(min(most, schema.get("maxItems", most)))


def _values_of_items(schema: dict[str, Any], root: dict[str, Any]) -> list[Any] | None:
    """The scalars that all items are of; None where they are not listed."""
    if schema.get("prefixItems"):
        return None
    items: Schema = schema.get("items", True)
    while isinstance(items, dict) and items.keys() == {"$ref"}:
        items = resolve(items["$ref"], root)
    if not isinstance(items, dict):
        return None
    values = [True, False] if items.get("type") == "boolean" else enum_of(items)
    if values is None or any(isinstance(value, dict | list) for value in values):
        return None
    return list(_different(values))


def _different(values: list[Any]) -> Iterator[Any]:
    for at, value in enumerate(values):
        if not is_one_of(value, values[:at]):
            yield value


def of_contains(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """`contains` where it asks for nothing, or for what items have to be anyway."""
    least = schema.get("minContains", 1)
    if least == 0 and "maxContains" not in schema:
        return {}
    if schema["contains"] in (True, {}) and "maxContains" not in schema:
        return {"minItems": max(int(least), int(schema.get("minItems", 0)))}
    context.leave("contains", at)
    return {"minItems": max(int(least), int(schema.get("minItems", 0)))}


def of_unevaluated_items(context: Context, schema: dict[str, Any], at: str) -> dict[str, Any]:
    """`unevaluatedItems` as `items`, where nothing else evaluates items."""
    in_place = schema.keys() & {"allOf", "anyOf", "oneOf", "if", "$ref", "contains"}
    if "items" in schema or schema["unevaluatedItems"] is True:
        return {}
    if in_place:
        context.leave("unevaluatedItems", at)
        return {}
    return {"items": context.rewrite(schema["unevaluatedItems"], f"{at}/unevaluatedItems")}
