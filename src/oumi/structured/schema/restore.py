"""Marks in a rewritten schema, and the way back: a value of the rewritten schema to one of the
original.

A mark stands in the schema that was rewritten, under a keyword of its own:

    absent     fields that are null where the original has no such field
    boxed      the same, but what is there stands in an object of one field, because the original
               may be null itself
    tuple      an object with a field for each place of a list
    pairs      a list of objects with a name and a value, for an object of any names
    whole      an object around the whole value
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from oumi.core.json_schema.parts import DEFS, Schema, map_parts, parts, resolve
from oumi.structured.schema.merge import kind_of, kinds_of, values_of

MARK = "x-oumi"
VALUE, NAME = "value", "key"
"""Fields of the objects around values, and of pairs."""


def place(at: int) -> str:
    """The field for a place of a list."""
    return f"item_{at + 1}"


def strip(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without marks."""
    stripped = _strip(schema)
    return stripped if isinstance(stripped, dict) else {}


def _strip(schema: Schema) -> Schema:
    if isinstance(schema, dict) and MARK in schema:
        schema = {key: value for key, value in schema.items() if key != MARK}
    return map_parts(schema, lambda _, part, __: _strip(part))


def leaves(part: Schema, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The alternatives of a schema, references followed and those within those taken out."""
    if isinstance(part, bool):
        return
    if "$ref" in part:
        yield from leaves(resolve(part["$ref"], root), root)
    elif "anyOf" in part:
        for branch in part["anyOf"]:
            yield from leaves(branch, root)
    else:
        yield part


def make_restore(marked: dict[str, Any]) -> Callable[[Any], Any] | None:
    """What turns a value of the rewritten schema back; None where nothing has to be.

    A value that does not fit is left as far as it does not, for a validator to say why.
    """
    restorer = _Restorer(marked)
    return restorer.restore if restorer.changes(marked) else None


def changes_anything(part: Schema, root: dict[str, Any]) -> bool:
    """Whether a value of this part may have to be turned back."""
    return _Restorer(root).changes(part)


class _Restorer:
    def __init__(self, marked: dict[str, Any]):
        self._root = marked
        self._marked: set[str] = set()
        self._known: dict[int, list[dict[str, Any]]] = {}
        self._find_marked()

    def changes(self, part: Schema) -> bool:
        if isinstance(part, bool):
            return False
        if MARK in part:
            return True
        if "$ref" in part:
            return part["$ref"].removeprefix(DEFS) in self._marked
        return any(self.changes(inner) for keyword, inner in parts(part) if keyword != "$defs")

    def restore(self, value: Any) -> Any:
        return self._restore(value, self._root)

    def _find_marked(self) -> None:
        """Definitions with marks, grown until none is added, because they refer to each other."""
        defs = {**self._root.get("$defs", {}), "#": self._root}
        found = {name for name, part in defs.items() if self.changes(part)}
        while found != self._marked:
            self._marked = found
            found = {name for name, part in defs.items() if self.changes(part)}

    def _restore(self, value: Any, part: Schema) -> Any:
        found = self._leaves(part)
        if not found:
            return value
        if len(found) > 1:
            found = [leaf for leaf in found if looks_like(value, leaf)]
        return self._restore_leaf(value, found[0]) if found else value

    def _leaves(self, part: Schema) -> list[dict[str, Any]]:
        """The alternatives of a part, none where its values need no turning back; looked up once
        for each part, of which there are no more than the schema has.
        """
        if id(part) not in self._known:
            self._known[id(part)] = list(leaves(part, self._root)) if self.changes(part) else []
        return self._known[id(part)]

    def _restore_leaf(self, value: Any, leaf: dict[str, Any]) -> Any:
        mark = leaf.get(MARK, {})
        if isinstance(value, list):
            items = self._restore_items(value, leaf)
            return _from_pairs(items) if "pairs" in mark else items
        if not isinstance(value, dict):
            return value
        fields = leaf.get("properties", {})
        boxed = mark.get("boxed", ())
        value = {
            name: self._restore_field(item, fields.get(name, True), boxed=name in boxed)
            for name, item in value.items()
            if item is not None or name not in mark.get("absent", ())
        }
        if value.keys() != fields.keys():
            return value
        if "tuple" in mark:
            return [value[place(at)] for at in range(len(fields))]
        return value[VALUE] if "whole" in mark else value

    def _restore_field(self, value: Any, part: Schema, *, boxed: bool) -> Any:
        restored = self._restore(value, part)
        if boxed and isinstance(restored, dict) and restored.keys() == {VALUE}:
            return restored[VALUE]
        return restored

    def _restore_items(self, value: list[Any], leaf: dict[str, Any]) -> list[Any]:
        heads = leaf.get("prefixItems", [])
        rest = leaf.get("items", True)
        wanted = [heads[at] if at < len(heads) else rest for at in range(len(value))]
        return [self._restore(item, part) for item, part in zip(value, wanted, strict=True)]


def _from_pairs(items: list[Any]) -> Any:
    pairs = [item for item in items if isinstance(item, dict) and item.keys() == {NAME, VALUE}]
    if len(pairs) < len(items):
        return items
    return {pair[NAME]: pair[VALUE] for pair in pairs}


def looks_like(value: Any, leaf: dict[str, Any]) -> bool:
    """Whether a value may be meant by this alternative: by its kind, its fields and the values
    by which alternatives are told apart.
    """
    if kind_of(value) not in kinds_of(leaf):
        return False
    if not isinstance(value, dict):
        return True
    fields = leaf.get("properties", {})
    if not set(leaf.get("required", ())) <= value.keys() <= fields.keys():
        return False
    known = {name: values_of(part) for name, part in fields.items() if name in value}
    return all(values is None or value[name] in values for name, values in known.items())


def can_be_told_apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether `looks_like` never takes a value of one alternative for one of the other."""
    if not kinds_of(one) & kinds_of(other):
        return True
    if not kinds_of(one) == kinds_of(other) == {"object"}:
        return False
    needed, others_needed = set(one.get("required", ())), set(other.get("required", ()))
    fields, others = one.get("properties", {}), other.get("properties", {})
    if not (needed <= others.keys() and others_needed <= fields.keys()):
        return True
    return any(_exclude(fields[name], others[name]) for name in needed & others_needed)


def _exclude(one: Schema, other: Schema) -> bool:
    values, others = values_of(one), values_of(other)
    return values is not None and others is not None and not any(v in others for v in values)
