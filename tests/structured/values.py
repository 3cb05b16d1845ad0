"""The way forward: a value as a provider would have to write it, and what a schema accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from oumi.core.json_schema.parts import IN_PLACE, map_parts, resolve
from oumi.structured.schema.restore import MARK, NAME, VALUE, leaves, place


def forward(value: Any, part: Any, root: dict[str, Any]) -> Iterator[Any]:
    """The values of a rewritten schema that stand for a value of the original one."""
    for leaf in leaves(part, root):
        for found in _forward_leaf(value, leaf, root):
            if fits(found, leaf, root):
                yield found


def _forward_leaf(value: Any, leaf: dict[str, Any], root: dict[str, Any]) -> Iterator[Any]:
    mark = leaf.get(MARK, {})
    if "whole" in mark:
        for inner in forward(value, leaf["properties"][VALUE], root):
            yield {VALUE: inner}
    elif "tuple" in mark:
        if isinstance(value, list):
            yield from _forward_fields({place(at): v for at, v in enumerate(value)}, leaf, root)
    elif "pairs" in mark:
        if isinstance(value, dict):
            pairs = [{NAME: name, VALUE: item} for name, item in value.items()]
            yield from _forward_items(pairs, leaf, root)
    elif isinstance(value, dict):
        yield from _forward_fields(value, leaf, root)
    elif isinstance(value, list):
        yield from _forward_items(value, leaf, root)
    else:
        yield value


def _forward_fields(value: dict[str, Any], leaf: Any, root: dict[str, Any]) -> Iterator[Any]:
    mark = leaf.get(MARK, {})
    fields = leaf.get("properties", {})
    found = {}
    for name in {**fields, **value}:
        if name not in value:
            if name in mark.get("absent", ()) or name in leaf.get("required", ()):
                found[name] = None
            continue
        part = fields.get(name, leaf.get("additionalProperties", True))
        item = value[name]
        if name in mark.get("boxed", ()):
            item = {VALUE: item}
        first = next(forward(item, part, root), ...) if isinstance(part, dict) else item
        if first is ...:
            return
        found[name] = first
    yield found


def _forward_items(value: list[Any], leaf: Any, root: dict[str, Any]) -> Iterator[Any]:
    heads = leaf.get("prefixItems", [])
    found = []
    for at, item in enumerate(value):
        part = heads[at] if at < len(heads) else leaf.get("items", True)
        first = next(forward(item, part, root), ...) if isinstance(part, dict) else item
        if first is ...:
            return
        found.append(first)
    yield found


def fits(value: Any, part: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value fits a part of a schema."""
    if part is root:
        return _validator(json.dumps(root)).is_valid(value)
    # The part is put beside the root, so that references to both still lead somewhere.
    defs = root.get("$defs", {})
    body = {key: item for key, item in root.items() if key != "$defs"}
    renamed = json.dumps({"defs": {**defs, "-root": body}, "part": part})
    renamed = renamed.replace('"$ref": "#"', '"$ref": "#/$defs/-root"')
    whole = json.loads(renamed)
    schema = {"$ref": "#/$defs/-part", "$defs": {**whole["defs"], "-part": whole["part"]}}
    return _validator(json.dumps(schema)).is_valid(value)


@cache
def _validator(text: str) -> Any:
    return jsonschema_rs.validator_for(json.loads(text), validate_formats=True)


def closed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without fields that it does not mention, where it says nothing of them."""

    def close(keyword: str, part: Any, _: Any) -> Any:
        if isinstance(part, bool):
            return part
        inner = map_parts(part, close)
        in_place = keyword in IN_PLACE or keyword == "$defs"
        return inner if in_place else {**inner, **_closing(part, schema)}

    return {**map_parts(schema, close), **_closing(schema, schema)}  # type: ignore[dict-item]


def _closing(part: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """`unevaluatedProperties` looks through references and alternatives, as is meant here."""
    return {"unevaluatedProperties": False} if _mentions_fields(part, root, ()) else {}


def _mentions_fields(part: Any, root: dict[str, Any], within: tuple[str, ...]) -> bool:
    if isinstance(part, bool) or "unevaluatedProperties" in part:
        return False
    if "properties" in part:
        return True
    reference = part.get("$ref")
    inner = [*part.get("allOf", ()), *part.get("anyOf", ()), *part.get("oneOf", ())]
    if reference and reference not in within:
        return _mentions_fields(resolve(reference, root), root, (*within, reference))
    return any(_mentions_fields(one, root, within) for one in inner)


def spell_nulls(value: Any, schema: dict[str, Any]) -> Any:
    """The value without fields that are null by default: missing and null are the same there."""
    if '"default": null' not in json.dumps(schema) or not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if item is not None}
