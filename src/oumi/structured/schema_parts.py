"""Parts of a value judged by parts of a schema, with jsonschema-rs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, Self
from urllib.parse import quote

from oumi.core.json_pointer import escape
from oumi.core.json_schema.complexity import count_visits
from oumi.core.json_schema.keywords import ANNOTATIONS
from oumi.core.json_schema.subschemas import APPLICATORS, DEFS, Schema, resolve

_URI = "oumi:schema"
# These compare a value as a whole. The other keywords need only its names or its length.
_OF_WHOLE_VALUE = frozenset({"const", "enum", "uniqueItems"})
_NOT_OWN = APPLICATORS | ANNOTATIONS | {"$ref", "minContains", "maxContains"}
_WITH_CONTAINS = ("minContains", "maxContains")
_MASKS: dict[type, str] = {dict: "the object", list: "the array"}


class Part(NamedTuple):
    """A part of a value, and the part of the schema that is for it."""

    pointer: str
    """Of the schema, within the root."""
    schema: Schema
    value: Any
    path: tuple[str | int, ...] = ()
    """Of the value, within the whole."""
    branch: str = ""
    """The branch of a union that was chosen for it, in words."""

    def same_value(self, *keys: str | int, branch: str = "") -> Self:
        """The part of a subschema for the same value."""
        pointer, schema = _step(self, keys)
        return self._replace(pointer=pointer, schema=schema, branch=branch or self.branch)

    def child(self, key: str | int, *keys: str | int) -> Self:
        """The part of a subschema for a field or an item."""
        pointer, schema = _step(self, keys)
        return type(self)(pointer, schema, self.value[key], (*self.path, key), self.branch)


class SchemaParts:
    """A schema whose parts judge values. Each is compiled when it is first needed."""

    def __init__(self, root: dict[str, Any]):
        import jsonschema_rs

        self.root = root
        self.visits = count_visits(root)
        self._rs = jsonschema_rs
        self._registry = jsonschema_rs.Registry([(_URI, root)])
        self._compile_at = cache(self._compile_pointer)
        self._compile_keyword = cache(self._compile_one_keyword)
        self._compile_own = cache(self._compile_own_keywords)
        self._compile_pattern = cache(self._compile_name_pattern)

    def is_valid(self, part: Part) -> bool:
        """Whether the value fits."""
        return bool(self._compile_at(part.pointer).is_valid(part.value))

    def keyword_is_met(self, part: Part, keyword: str) -> bool:
        """Whether the value fits one keyword with subschemas, whatever the others say."""
        return bool(self._compile_keyword(part.pointer, keyword).is_valid(part.value))

    def name_matches(self, pattern: str, name: str) -> bool:
        """Whether the name of a field is one of `patternProperties`."""
        return bool(self._compile_pattern(pattern).is_valid(name))

    def own_errors(self, part: Part) -> list[str]:
        """What the schema says of the value without its subschemas."""
        if isinstance(part.schema, bool):
            return [] if part.schema else ["is not allowed here"]
        value, mask = part.value, _MASKS.get(type(part.value))
        found = []
        for whole in (False, True):
            validator = self._compile_own(part.pointer, whole, mask)
            if validator is not None:
                judged = value if whole else _without_children(value)
                found += [error.message for error in validator.iter_errors(judged)]
        return found

    def referred(self, part: Part) -> Part:
        """The part of the schema that the reference of a part points to."""
        reference = part.schema["$ref"] if isinstance(part.schema, dict) else "#"
        pointer = reference.removeprefix(DEFS)
        pointer = "" if reference == "#" else f"/$defs/{escape(pointer)}"
        return part._replace(pointer=pointer, schema=resolve(reference, self.root))

    def follow(self, part: Part) -> Part:
        """What a plain reference leads to in the end; any other part itself."""
        while isinstance(part.schema, dict) and part.schema.keys() - ANNOTATIONS == {"$ref"}:
            part = self.referred(part)
        return part

    def _compile(self, schema: dict[str, Any], mask: str | None = None) -> Any:
        return self._rs.validator_for(
            schema, validate_formats=True, registry=self._registry, mask=mask
        )

    def _compile_pointer(self, pointer: str) -> Any:
        return self._compile(_refer(pointer))

    def _compile_one_keyword(self, pointer: str, keyword: str) -> Any:
        schema = self._at(pointer)
        value, place = schema[keyword], f"{pointer}/{keyword}"
        if isinstance(value, list):
            return self._compile({keyword: [_refer(f"{place}/{at}") for at in range(len(value))]})
        numbers = {key: schema[key] for key in _WITH_CONTAINS if key in schema}
        return self._compile({keyword: _refer(place), **numbers})

    def _compile_own_keywords(self, pointer: str, whole: bool, mask: str | None) -> Any:
        keys = self._at(pointer).keys() - _NOT_OWN
        keys = keys & _OF_WHOLE_VALUE if whole else keys - _OF_WHOLE_VALUE
        own = {key: value for key, value in self._at(pointer).items() if key in keys}
        return self._compile(own, mask) if own else None

    def _compile_name_pattern(self, pattern: str) -> Any:
        return self._compile({"pattern": pattern})

    def _at(self, pointer: str) -> dict[str, Any]:
        found: Any = self.root
        for key in pointer.split("/")[1:]:
            name = key.replace("~1", "/").replace("~0", "~")
            found = found[int(name) if isinstance(found, list) else name]
        return found  # type: ignore[no-any-return]


def in_place(parts: SchemaParts, part: Part) -> Iterator[Part]:
    """The parts of subschemas that all hold for the same value."""
    schema = part.schema
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield parts.referred(part)
    for at in range(len(schema.get("allOf", ()))):
        yield part.same_value("allOf", at)
    if "if" in schema:
        branch = "then" if parts.is_valid(part.same_value("if")) else "else"
        if branch in schema:
            yield part.same_value(branch)
    if isinstance(part.value, dict):
        for name in schema.get("dependentSchemas", {}).keys() & part.value.keys():
            yield part.same_value("dependentSchemas", name)


def children(parts: SchemaParts, part: Part) -> Iterator[Part]:
    """The parts of fields or items, each with the subschema for it."""
    if isinstance(part.schema, dict) and isinstance(part.value, dict):
        yield from _fields(parts, part, part.schema)
    elif isinstance(part.schema, dict) and isinstance(part.value, list):
        yield from _items(part, part.schema)


def _fields(parts: SchemaParts, part: Part, schema: dict[str, Any]) -> Iterator[Part]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name in part.value:
        matching = [pattern for pattern in patterns if parts.name_matches(pattern, name)]
        if name in known:
            yield part.child(name, "properties", name)
        for pattern in matching:
            yield part.child(name, "patternProperties", pattern)
        if "additionalProperties" in schema and name not in known and not matching:
            yield part.child(name, "additionalProperties")


def _items(part: Part, schema: dict[str, Any]) -> Iterator[Part]:
    fixed = len(schema.get("prefixItems", ()))
    for at in range(len(part.value)):
        if at < fixed:
            yield part.child(at, "prefixItems", at)
        elif "items" in schema:
            yield part.child(at, "items")


def _step(part: Part, keys: tuple[str | int, ...]) -> tuple[str, Schema]:
    schema: Any = part.schema
    for key in keys:
        schema = schema[key]
    return "".join((part.pointer, *(f"/{escape(key)}" for key in keys))), schema


def _refer(pointer: str) -> dict[str, str]:
    return {"$ref": f"{_URI}#{quote(pointer)}"}


def _without_children(value: Any) -> Any:
    if isinstance(value, dict):
        return dict.fromkeys(value)
    return [None] * len(value) if isinstance(value, list) else value
