"""The reverse of restoring: a value in the shape in which a provider has to write it.

Also whether a schema accepts a value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema_rs

from oumi.core.json_schema.subschemas import IN_PLACE_APPLICATORS, map_subschemas, resolve
from oumi.structured.schema.restore import HINT, NAME, VALUE, alternatives, item_field


def rewrite_value(value: Any, part: Any, root: dict[str, Any]) -> Iterator[Any]:
    """The values of a rewritten schema that stand for `value`, one of the original schema."""
    for leaf in alternatives(part, root):
        for found in _rewrite_alternative(value, leaf, root):
            if satisfies(found, leaf, root):
                yield found


def _rewrite_alternative(value: Any, leaf: dict[str, Any], root: dict[str, Any]) -> Iterator[Any]:
    hint = leaf.get(HINT, {})
    if "wrapped" in hint:
        for inner in rewrite_value(value, leaf["properties"][VALUE], root):
            yield {VALUE: inner}
    elif "tuple" in hint:
        if isinstance(value, list):
            yield from _rewrite_fields(
                {item_field(at): v for at, v in enumerate(value)}, leaf, root
            )
    elif "pairs" in hint:
        if isinstance(value, dict):
            pairs = [{NAME: name, VALUE: item} for name, item in value.items()]
            yield from _rewrite_items(pairs, leaf, root)
    elif isinstance(value, dict):
        yield from _rewrite_fields(value, leaf, root)
    elif isinstance(value, list):
        yield from _rewrite_items(value, leaf, root)
    else:
        yield value


def _rewrite_fields(value: dict[str, Any], leaf: Any, root: dict[str, Any]) -> Iterator[Any]:
    hint = leaf.get(HINT, {})
    fields = leaf.get("properties", {})
    found = {}
    for name in {**fields, **value}:
        if name not in value:
            if name in hint.get("nullable", ()) or name in leaf.get("required", ()):
                found[name] = None
            continue
        part = fields.get(name, leaf.get("additionalProperties", True))
        item = value[name]
        if name in hint.get("boxed", ()):
            item = {VALUE: item}
        first = next(rewrite_value(item, part, root), ...) if isinstance(part, dict) else item
        if first is ...:
            return
        found[name] = first
    yield found


def _rewrite_items(value: list[Any], leaf: Any, root: dict[str, Any]) -> Iterator[Any]:
    heads = leaf.get("prefixItems", [])
    found = []
    for at, item in enumerate(value):
        part = heads[at] if at < len(heads) else leaf.get("items", True)
        first = next(rewrite_value(item, part, root), ...) if isinstance(part, dict) else item
        if first is ...:
            return
        found.append(first)
    yield found


def satisfies(value: Any, part: dict[str, Any], root: dict[str, Any]) -> bool:
    """Whether a value satisfies a subschema of `root`."""
    if part is root:
        return _validator(json.dumps(root)).is_valid(value)
    # The subschema is put beside the root, so that references to both stay valid.
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
    """The schema without unnamed fields, where it does not say that they are allowed."""

    def close(keyword: str, part: Any) -> Any:
        if isinstance(part, bool):
            return part
        inner = map_subschemas(part, close)
        in_place = keyword in IN_PLACE_APPLICATORS or keyword == "$defs"
        return inner if in_place else {**inner, **_closing(part, schema)}

    return {**map_subschemas(schema, close), **_closing(schema, schema)}  # type: ignore[dict-item]


def _closing(part: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """`unevaluatedProperties`, because it also sees the fields of references and alternatives."""
    return {"unevaluatedProperties": False} if _names_fields(part, root, ()) else {}


def _names_fields(part: Any, root: dict[str, Any], within: tuple[str, ...]) -> bool:
    if isinstance(part, bool) or "unevaluatedProperties" in part:
        return False
    if "properties" in part:
        return True
    reference = part.get("$ref")
    inner = [*part.get("allOf", ()), *part.get("anyOf", ()), *part.get("oneOf", ())]
    if reference and reference not in within:
        return _names_fields(resolve(reference, root), root, (*within, reference))
    return any(_names_fields(one, root, within) for one in inner)


def without_nulls(value: Any, schema: dict[str, Any]) -> Any:
    """The value without null fields, if null is a default: there it means the same as missing."""
    if '"default": null' not in json.dumps(schema) or not isinstance(value, dict):
        return value
    return {name: item for name, item in value.items() if item is not None}
