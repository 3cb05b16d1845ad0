"""References with other keywords beside them, written out.

A sampler intersects what a reference points to with what stands beside it, which it cannot while it
is still reading the former: in a schema that leads back to itself. So both together become a
definition of their own, and what is met for the same value is written out in its place.
"""

from __future__ import annotations

from typing import Any

from oumi.core.json_schema.subschemas import (
    DEFS,
    IN_PLACE_APPLICATORS,
    Schema,
    map_subschemas,
    resolve,
    subschemas,
)
from oumi.core.json_text import write_json

_MAX_SCHEMAS = 20_000  # visited: what is written out multiplies


class TooManySchemasError(Exception):
    """What is written out does not end in reasonable time."""


def write_out(root: dict[str, Any]) -> dict[str, Any]:
    """The same schema, in which each reference stands alone and for a whole value.

    Raises TooManySchemasError.
    """
    return _Writer(root).run()


class _Writer:
    def __init__(self, root: dict[str, Any]):
        self._root = root
        self._defs: dict[str, Schema] = {}
        self._names: dict[bytes, str] = {}
        self._visited = 0

    def run(self) -> dict[str, Any]:
        body = {key: value for key, value in self._root.items() if key != "$defs"}
        written = self._joined(body)
        defs = self._root.get("$defs", {})
        self._defs.update({name: self._joined(schema) for name, schema in defs.items()})
        result: dict[str, Any] = written if isinstance(written, dict) else {"allOf": [written]}
        return {**result, "$defs": self._defs} if self._defs else result

    def _whole(self, schema: Schema) -> Schema:
        """The schema of a whole value: a reference stays, or becomes one to a new definition."""
        if isinstance(schema, bool) or schema.keys() == {"$ref"}:
            return schema
        if not _joins_references(schema):
            return self._joined(schema)
        content = write_json(schema)
        if content not in self._names:
            self._names[content] = name = self._new_name()
            self._defs[name] = self._joined(schema)
        return {"$ref": DEFS + self._names[content]}

    def _new_name(self) -> str:
        name = f"joined_{len(self._names) + 1}"
        while name in self._root.get("$defs", {}):
            name += "_"
        return name

    def _joined(self, schema: Schema) -> Schema:
        """A schema in which what is met for the same value holds no reference."""
        self._visited += 1
        if self._visited > _MAX_SCHEMAS:
            raise TooManySchemasError
        if isinstance(schema, bool):
            return schema
        reference = schema.get("$ref")
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        is_alone = len(rest) == 1 and not reference
        written = map_subschemas(rest, lambda key, one: self._part(key, one, is_alone))
        if reference is None:
            return written
        target = self._joined(self._target(reference))
        if not rest or written is True:
            return target
        return {"allOf": [target, written]}

    def _target(self, reference: str) -> Schema:
        target = resolve(reference, self._root)
        if reference == "#" and isinstance(target, dict):
            return {key: value for key, value in target.items() if key != "$defs"}
        return target

    def _part(self, keyword: str, schema: Schema, is_alone: bool) -> Schema:
        # Alternatives with nothing beside them are not intersected with anything.
        if keyword not in IN_PLACE_APPLICATORS or (is_alone and keyword == "anyOf"):
            return self._whole(schema)
        return self._joined(schema)


def _joins_references(schema: Schema) -> bool:
    """Whether a reference is met for the same value as other keywords are."""
    if isinstance(schema, bool):
        return False
    return "$ref" in schema or any(
        _joins_references(one) for key, one in subschemas(schema) if key in IN_PLACE_APPLICATORS
    )
