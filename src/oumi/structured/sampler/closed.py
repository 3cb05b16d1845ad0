"""Objects that say nothing of other fields, closed for a sampler.

Such an object may have any other field, which hardly anybody wants to read in an answer:
https://json-schema.org/understanding-json-schema/reference/object#additionalproperties
An answer with other fields stays valid; the sampler only writes none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Set
from enum import StrEnum
from typing import Any

from oumi.core.json_schema.subschemas import (
    DEFS,
    IN_PLACE_APPLICATORS,
    Schema,
    map_subschemas,
    resolve,
)
from oumi.structured.sampler.context import NAMES

# What an author says of other fields, or needs them for.
_OF_OTHERS = frozenset(
    {"additionalProperties", "patternProperties", "minProperties", "maxProperties"}
)
_OF_UNNAMED = ("additionalProperties", "patternProperties")
_OF_ITEMS = ("items", "prefixItems")


class _Version(StrEnum):
    """How a schema is changed; also the end of a definition's name."""

    CLOSED = ""
    OPEN = "-open"
    """Others are joined to it, so it stays open itself; what is in its fields is closed."""
    UNCHANGED = "-unchanged"
    """Its fields are joined to those of others as well."""


def close(root: dict[str, Any]) -> dict[str, Any]:
    """The schema with closed objects, and without the hints of `NAMES`."""
    return _Closer(root).run(_Version.CLOSED)


def without_hints(root: dict[str, Any]) -> dict[str, Any]:
    """The schema as it is, without the hints of `NAMES`."""
    return _Closer(root).run(_Version.UNCHANGED)


def without_version(name: str) -> str:
    """The name of a definition as the user's schema has it."""
    for version in (_Version.OPEN, _Version.UNCHANGED):
        name = name.removesuffix(version)
    return name


class _Closer:
    def __init__(self, root: dict[str, Any]):
        self._root = root
        self._defs: dict[str, Schema] = {}
        self._pending: list[tuple[str, str, _Version]] = []

    def run(self, version: _Version) -> dict[str, Any]:
        changed = self._change("#", version)
        while self._pending:  # not recursive: a chain of references may be longer than the stack
            name, reference, wanted = self._pending.pop()
            self._defs[name] = self._change(reference, wanted)
        result: dict[str, Any] = changed if isinstance(changed, dict) else {"allOf": [changed]}
        return {**result, "$defs": self._defs} if self._defs else result

    def _close(self, schema: Schema) -> Schema:
        """The schema of a whole value."""
        if isinstance(schema, bool):
            return schema
        if schema.keys() == {"$ref"}:
            return self._refer(schema["$ref"], _Version.CLOSED)
        if schema.keys() <= {"anyOf", "type"}:  # each alternative is a whole value
            return map_subschemas(schema, lambda _, one: self._close(one))
        parts = list(self._parts(schema))
        opened = self._open(schema, _shared(parts))
        names = list(dict.fromkeys(name for part in parts for name in _names(part)))
        if isinstance(opened, bool) or not names or any(part.keys() & _OF_OTHERS for part in parts):
            return opened
        fields = opened.get("properties", {})
        fields = {**fields, **{name: True for name in names if name not in fields}}
        return {**opened, "properties": fields, "additionalProperties": False}

    def _open(self, schema: Schema, shared: Set[str]) -> Schema:
        """A schema to which others are joined, some of which have the `shared` places too."""
        if isinstance(schema, bool):
            return schema
        opened: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword == "$ref":
                is_apart = not shared & set(_shared_places(self._parts(schema)))
                version = _Version.OPEN if is_apart else _Version.UNCHANGED
                opened |= self._refer(value, version)
            elif keyword == "properties":
                opened[keyword] = {
                    name: self._unchanged(one) if name in shared else self._close(one)
                    for name, one in value.items()
                }
            elif keyword in IN_PLACE_APPLICATORS:
                opened[keyword] = [self._open(one, shared) for one in value]
            elif keyword != NAMES:
                change = self._unchanged if keyword in shared else self._close
                opened |= _change(keyword, value, change)
        return opened

    def _unchanged(self, schema: Schema) -> Schema:
        if isinstance(schema, bool):
            return schema
        schema = {key: value for key, value in schema.items() if key != NAMES}
        if "$ref" in schema:
            schema |= self._refer(schema["$ref"], _Version.UNCHANGED)
        return map_subschemas(schema, lambda _, one: self._unchanged(one))

    def _refer(self, reference: str, version: _Version) -> dict[str, Any]:
        """A reference to a version of a definition, made when it is first needed."""
        if reference == "#" and version is _Version.CLOSED:
            return {"$ref": "#"}
        name = f"{'root' if reference == '#' else reference.removeprefix(DEFS)}{version}"
        if name not in self._defs:
            self._defs[name] = True  # until its turn comes
            self._pending.append((name, reference, version))
        return {"$ref": DEFS + name}

    def _change(self, reference: str, version: _Version) -> Schema:
        target = self._target(reference)
        match version:
            case _Version.CLOSED:
                return self._close(target)
            case _Version.OPEN:
                return self._open(target, frozenset())
        return self._unchanged(target)

    def _target(self, reference: str) -> Schema:
        target = resolve(reference, self._root)
        if reference != "#" or isinstance(target, bool):
            return target
        return {key: value for key, value in target.items() if key != "$defs"}

    def _parts(self, schema: Schema) -> Iterator[dict[str, Any]]:
        """The schema and all that are met, or may be, for the same value."""
        if isinstance(schema, bool):
            return
        yield schema
        if "$ref" in schema:
            yield from self._parts(self._target(schema["$ref"]))
        for keyword in ("allOf", "anyOf"):
            for one in schema.get(keyword, ()):
                yield from self._parts(one)


def _change(keyword: str, value: Any, change: Callable[[Schema], Schema]) -> dict[str, Any]:
    changed = map_subschemas({keyword: value}, lambda _, one: change(one))
    return changed if isinstance(changed, dict) else {}


def _shared(parts: list[dict[str, Any]]) -> Set[str]:
    """The names and keywords that several parts speak of, each with a schema of its own."""
    counts = Counter(_shared_places(parts))
    shared = {place for place, count in counts.items() if count > 1}
    if len(parts) > 1 and any(keyword in counts for keyword in _OF_UNNAMED):
        return set(counts)  # what is for all names joins the fields of the others
    return shared | set(_OF_ITEMS) if sum(counts[key] for key in _OF_ITEMS) > 1 else shared


def _shared_places(parts: Iterable[dict[str, Any]]) -> Iterator[str]:
    for part in parts:
        yield from part.get("properties", {})
        yield from (key for key in (*_OF_UNNAMED, *_OF_ITEMS) if key in part)


def _names(schema: dict[str, Any]) -> Iterator[str]:
    yield from schema.get("properties", {})
    yield from schema.get("required", ())
    yield from schema.get(NAMES, ())
