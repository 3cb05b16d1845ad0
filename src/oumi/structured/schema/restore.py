"""Restoring: from a value of a rewritten schema back to a value of the original schema.

The rewritten schema carries hints, under a keyword of its own, that say what was changed. They are
removed before the schema is sent.

    nullable   fields that are null where the original value has no such field
    boxed      those of them whose value stands in an object of one field, because the original
               value may be null itself
    tuple      an object with one field for each item of an array
    pairs      an array of objects with a name and a value, for an object of any field names
    wrapped    an object around the whole value
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from oumi.core.json_schema.subschemas import DEFS, Schema, map_subschemas, resolve, subschemas
from oumi.structured.schema.values import (
    enum_of,
    have_disjoint_enums,
    is_one_of,
    type_of,
    types_of,
)

Restore = Callable[[Any], Any]
"""Turns a value of the schema that a provider was sent into a value of the original schema.

What does not satisfy the rewritten schema is left unchanged, for a validator to report."""

HINT = "x-oumi"
VALUE, NAME = "value", "key"
"""The fields of boxes, wrappers and pairs."""


def item_field(index: int) -> str:
    """The field that holds an item of an array which was rewritten as an object."""
    return f"item_{index + 1}"


def remove_hints(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without hints."""
    cleaned = _remove_hints(schema)
    return cleaned if isinstance(cleaned, dict) else {}


def _remove_hints(schema: Schema) -> Schema:
    if isinstance(schema, dict) and HINT in schema:
        schema = {key: value for key, value in schema.items() if key != HINT}
    return map_subschemas(schema, lambda _, subschema: _remove_hints(subschema))


def alternatives(schema: Schema, root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas without `anyOf` and `$ref` that a schema stands for, nested ones included."""
    if isinstance(schema, bool):
        return
    if "$ref" in schema:
        yield from alternatives(resolve(schema["$ref"], root), root)
    elif "anyOf" in schema:
        for branch in schema["anyOf"]:
            yield from alternatives(branch, root)
    else:
        yield schema


def make_restore(rewritten: dict[str, Any]) -> Restore | None:
    """The function that restores values of a rewritten schema; None if nothing was changed."""
    restorer = _Restorer(rewritten)
    return restorer.restore if restorer.has_hints(rewritten) else None


def needs_restoring(schema: Schema, root: dict[str, Any]) -> bool:
    """Whether values of this subschema of `root` may have to be restored."""
    return _Restorer(root).has_hints(schema)


class _Restorer:
    """Walks through a value together with the rewritten schema."""

    def __init__(self, rewritten: dict[str, Any]):
        self._root = rewritten
        self._defs_with_hints: set[str] = set()
        self._known: dict[int, list[dict[str, Any]]] = {}
        self._find_defs_with_hints()

    def has_hints(self, schema: Schema) -> bool:
        """Whether a hint is in a schema, its subschemas or what they refer to."""
        if isinstance(schema, bool):
            return False
        if HINT in schema:
            return True
        if "$ref" in schema:
            return schema["$ref"].removeprefix(DEFS) in self._defs_with_hints
        return any(self.has_hints(inner) for key, inner in subschemas(schema) if key != "$defs")

    def restore(self, value: Any) -> Any:
        return self._restore(value, self._root)

    def _find_defs_with_hints(self) -> None:
        """Repeated until no definition is added, because definitions refer to each other."""
        defs = {**self._root.get("$defs", {}), "#": self._root}
        found = {name for name, schema in defs.items() if self.has_hints(schema)}
        while found != self._defs_with_hints:
            self._defs_with_hints = found
            found = {name for name, schema in defs.items() if self.has_hints(schema)}

    def _restore(self, value: Any, schema: Schema) -> Any:
        found = self._alternatives(schema)
        if len(found) > 1:
            found = [one for one in found if may_be_of(value, one)]
        return self._restore_alternative(value, found[0]) if found else value

    def _alternatives(self, schema: Schema) -> list[dict[str, Any]]:
        """The alternatives of a schema; none if its values need no restoring.

        Cached by identity: the subschemas of the root are finitely many and live as long as this.
        """
        key = id(schema)
        if key not in self._known:
            found = alternatives(schema, self._root) if self.has_hints(schema) else ()
            self._known[key] = list(found)
        return self._known[key]

    def _restore_alternative(self, value: Any, schema: dict[str, Any]) -> Any:
        hint = schema.get(HINT, {})
        if isinstance(value, list):
            items = self._restore_items(value, schema)
            return _from_pairs(items) if "pairs" in hint else items
        if not isinstance(value, dict):
            return value
        fields = schema.get("properties", {})
        value = self._restore_fields(value, fields, hint)
        if value.keys() != fields.keys():
            return value
        if "tuple" in hint:
            return [value[item_field(index)] for index in range(len(fields))]
        return value[VALUE] if "wrapped" in hint else value

    def _restore_fields(
        self, value: dict[str, Any], fields: dict[str, Schema], hint: dict[str, Any]
    ) -> dict[str, Any]:
        nullable, boxed = hint.get("nullable", ()), hint.get("boxed", ())
        restored = {}
        for name, item in value.items():
            if item is None and name in nullable:
                continue
            item = self._restore(item, fields.get(name, True))
            restored[name] = _unbox(item) if name in boxed else item
        return restored

    def _restore_items(self, value: list[Any], schema: dict[str, Any]) -> list[Any]:
        prefix = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        of_item = [prefix[index] if index < len(prefix) else rest for index in range(len(value))]
        return [self._restore(item, one) for item, one in zip(value, of_item, strict=True)]


def _unbox(value: Any) -> Any:
    is_box = isinstance(value, dict) and value.keys() == {VALUE}
    return value[VALUE] if is_box else value


def _from_pairs(items: list[Any]) -> Any:
    pairs = [item for item in items if isinstance(item, dict) and item.keys() == {NAME, VALUE}]
    if len(pairs) < len(items):
        return items
    return {pair[NAME]: pair[VALUE] for pair in pairs}


def may_be_of(value: Any, schema: dict[str, Any]) -> bool:
    """Whether a value may be meant for this alternative.

    Looks at its type, the names of its fields, and the fields that have an `enum` or `const`.
    """
    if type_of(value) not in types_of(schema):
        return False
    if not isinstance(value, dict):
        return True
    fields = schema.get("properties", {})
    if not set(schema.get("required", ())) <= value.keys() <= fields.keys():
        return False
    enums = {name: enum_of(one) for name, one in fields.items() if name in value}
    return all(enum is None or is_one_of(value[name], enum) for name, enum in enums.items())


def are_distinguishable(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether `may_be_of` never takes a value of one alternative for one of the other."""
    types, other_types = types_of(one), types_of(other)
    if not types & other_types:
        return True
    if not types == other_types == {"object"}:
        return False
    required, other_required = set(one.get("required", ())), set(other.get("required", ()))
    fields, other_fields = one.get("properties", {}), other.get("properties", {})
    if not (required <= other_fields.keys() and other_required <= fields.keys()):
        return True
    shared = required & other_required
    return any(have_disjoint_enums(fields[name], other_fields[name]) for name in shared)
