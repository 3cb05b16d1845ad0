"""Bounds for what a schema leaves open, so that an answer ends before its tokens do.

A model may write into one text, or one list, until it is cut off. So each open part gets a share of
the room that there is, in characters. The bounds are for the sampler alone: a longer answer would
be valid too.
"""

from __future__ import annotations

from functools import lru_cache
from math import isqrt
from typing import Any

import orjson

from oumi.core.json_schema.keywords import KEYWORDS_OF_TYPE
from oumi.core.json_schema.subschemas import DEFS, Schema, resolve
from oumi.core.json_text import write_json
from oumi.structured.room import Room
from oumi.structured.sampler.fit import refusal
from oumi.structured.sampler.sizes import Sizes, is_open_text
from oumi.structured.schema.values import types_of

# A part hardly ever needs just its even share of the room, so a first answer may take more.
_GENEROSITY = 2
# With less room, a list gets no more items than it needs, and what may be left out is.
_LEAST = 16
# Longer ones are left open: a sampler writes out what it counts, and they no longer run on.
_MAX_ITEMS = 200
_MAX_LENGTH = 4_000
_OF_ITEM = 2  # the comma and the space
# No double is exact beyond 15 digits: https://en.wikipedia.org/wiki/Double-precision_floating-point_format
_NUMBERS = {"minimum": -1e15, "maximum": 1e15, "multipleOf": 1e-6}
_OF_PATTERN = 64  # letters that a text of a pattern or a format gets where fewer are too few
_MAX_NAME = 40  # letters of a field that has no name in the schema
_NESTED = ("array", "object")
_ANY = "any"


def bound(root: dict[str, Any], room: Room) -> dict[str, Any]:
    """The schema of a sampler with bounds for answers that fit into a room.

    Where an answer was cut off before, the digits of numbers are bounded too, and of the fields
    that may be missing those are that there is no room for.
    """
    return _Bounder(root, room.is_last).run(room.characters)


class _Bounder:
    """A definition is bounded anew for each room that it is given, rounded to a power of two."""

    def __init__(self, root: dict[str, Any], is_last: bool):
        self._root = root
        self._body = {key: value for key, value in root.items() if key != "$defs"}
        self._generosity, self._is_last = (1 if is_last else _GENEROSITY), is_last
        self._sizes = Sizes(root)
        self._defs: dict[str, Schema] = {}
        self._pending: list[tuple[str, Schema, int, bool]] = []

    def run(self, room: int) -> dict[str, Any]:
        bounded = self._bound(self._body, room)
        while self._pending:
            name, schema, given, is_joined = self._pending.pop()
            if schema is True:
                self._defs[name] = self._any(given)
            else:
                self._defs[name] = self._bound(schema, given, is_joined=is_joined)
        result: dict[str, Any] = bounded if isinstance(bounded, dict) else {"allOf": [bounded]}
        return {**result, "$defs": self._defs} if self._defs else result

    def _bound(self, schema: Schema, room: int, *, is_joined: bool = False) -> Schema:
        """A subschema for a room; `is_joined` where others are met for the same value."""
        if isinstance(schema, bool) or not schema:
            is_any = schema is not False and not is_joined
            return self._refer(_ANY, True, room) if is_any else schema
        is_joined = is_joined or "allOf" in schema or (_has_parts(schema) and len(schema) > 1)
        bounded = _without_other_types(schema, _bounded_types(schema))
        if "allOf" in schema:
            bounded["allOf"] = [self._bound(one, room, is_joined=True) for one in schema["allOf"]]
        if "anyOf" in schema:
            bounded["anyOf"] = self._of_branches(schema["anyOf"], room, is_joined)
        if "$ref" in schema:
            bounded |= self._refer_to(schema["$ref"], room, is_joined)
        return bounded | self._of_types(schema, room, is_joined)

    def _of_types(self, schema: dict[str, Any], room: int, is_joined: bool) -> dict[str, Any]:
        """Bounds for the types that a schema itself speaks of."""
        types = _bounded_types(schema)
        if schema.keys() & {"enum", "const"}:
            types -= {"string", "integer", "number"}
        found: dict[str, Any] = {}
        if "string" in types:
            found |= self._of_text(schema, room)
        if "array" in types:
            found |= self._of_array(schema, room, is_joined)
        if "object" in types:
            found |= self._of_object(schema, room, is_joined)
        if self._is_last and types & {"integer", "number"}:
            found |= _of_number(schema, types)
        return found

    def _of_branches(self, branches: list[Schema], room: int, is_joined: bool) -> list[Schema]:
        """The alternatives; with little room those that hold nothing, if there are any."""
        flat = [one for one in branches if not _is_nested(one)]
        if room <= _LEAST and flat and not is_joined:
            branches = flat
        return [self._bound(one, room, is_joined=is_joined) for one in branches]

    def _refer_to(self, reference: str, room: int, is_joined: bool) -> dict[str, Any]:
        target = self._body if reference == "#" else resolve(reference, self._root)
        name = "root" if reference == "#" else reference.removeprefix(DEFS)
        return self._refer(name, target, room, is_joined)

    def _refer(
        self, name: str, target: Schema, room: int, is_joined: bool = False
    ) -> dict[str, Any]:
        room = _rounded(room)
        name = f"{name}-{room}{'-joined' if is_joined else ''}"
        if name not in self._defs:
            self._defs[name] = True  # until its turn comes
            self._pending.append((name, target, room, is_joined))
        return {"$ref": DEFS + name}

    def _any(self, room: int) -> Schema:
        """Any value: with little room one that holds no others."""
        scalars: list[Schema] = [
            {"type": "string", **self._of_text({}, room)},
            {"type": "number", **(_of_number({}, {"number"}) if self._is_last else {})},
            {"type": ["boolean", "null"]},
        ]
        if room <= _LEAST:
            return {"anyOf": scalars}
        nested: list[Schema] = [{"type": "array", "items": {}}, {"type": "object"}]
        return {"anyOf": [*scalars, *(self._bound(one, room) for one in nested)]}

    def _of_text(self, schema: dict[str, Any], room: int) -> dict[str, Any]:
        most = max(room * self._generosity, _LEAST, int(schema.get("minLength", 0)))
        if most >= schema.get("maxLength", _MAX_LENGTH) or not is_open_text(schema):
            return {}
        form = {key: schema[key] for key in ("pattern", "format", "minLength") if key in schema}
        if not form:
            return {"maxLength": most}
        for length in (most, max(most, _OF_PATTERN)):
            if _is_possible(write_json({"type": "string", **form, "maxLength": length})):
                return {"maxLength": length}
        return {}

    def _of_array(self, schema: dict[str, Any], room: int, is_joined: bool) -> dict[str, Any]:
        items, least = schema.get("items", True), int(schema.get("minItems", 0))
        most = schema.get("maxItems")
        size = self._sizes.least(items) + _OF_ITEM
        if room <= _LEAST:
            count = least
        elif self._sizes.is_open(items):  # as many items as letters in each
            count = max(isqrt(room * self._generosity // size * self._generosity), 1)
        else:
            count = max(room * self._generosity // size, 1)
        count = max(count, least, len(schema.get("prefixItems", ())) if room > _LEAST else 0)
        found: dict[str, Any] = {}
        if count <= _MAX_ITEMS and (most is None or count < most):
            found["maxItems"] = count
        share = room // max(min(count, most or count), 1)
        if "items" in schema:
            found["items"] = self._bound(items, share, is_joined=is_joined)
        if "prefixItems" in schema:
            found["prefixItems"] = [
                self._bound(one, share, is_joined=is_joined) for one in schema["prefixItems"]
            ]
        return found

    def _of_object(self, schema: dict[str, Any], room: int, is_joined: bool) -> dict[str, Any]:
        kept = self._kept_fields(schema, room) if not is_joined else schema.get("properties", {})
        left = room - self._sizes.of_names(kept)
        share = max(left // max(sum(map(self._sizes.is_open, kept.values())), 1), 1)
        found: dict[str, Any] = {}
        if "properties" in schema:
            found["properties"] = {
                name: self._bound(one, share, is_joined=is_joined) if name in kept else False
                for name, one in schema["properties"].items()
            }
        others = isqrt(share) * self._generosity
        if is_joined:
            return found | self._of_others(schema, others, is_joined=True)
        return found | self._of_counted(schema, others)

    def _kept_fields(self, schema: dict[str, Any], room: int) -> dict[str, Schema]:
        """The fields without those that may be missing and that there is no room for."""
        fields, required = schema.get("properties", {}), schema.get("required", ())
        if room > _LEAST and not self._is_last:
            return fields  # type: ignore[no-any-return]
        sizes = {name: self._sizes.of_field(name, one) for name, one in fields.items()}
        left = room - sum(size for name, size in sizes.items() if name in required)
        kept = dict(fields)
        for name, one in fields.items():
            if name in required:
                continue
            if sizes[name] > left or (room <= _LEAST and _is_nested(one)):
                del kept[name]
            else:
                left -= sizes[name]
        return kept

    def _of_others(self, schema: dict[str, Any], room: int, *, is_joined: bool) -> dict[str, Any]:
        """What is said of the fields that are not named."""
        found: dict[str, Any] = {}
        if isinstance(schema.get("additionalProperties"), dict):
            extra = schema["additionalProperties"]
            found["additionalProperties"] = self._bound(extra, room, is_joined=is_joined)
        if patterns := schema.get("patternProperties"):
            found["patternProperties"] = {
                pattern: self._bound(one, room, is_joined=is_joined)
                for pattern, one in patterns.items()
            }
        return found

    def _of_counted(self, schema: dict[str, Any], room: int) -> dict[str, Any]:
        """The same, with a bound on their number and on the letters of their names."""
        extra, patterns = schema.get("additionalProperties", True), schema.get("patternProperties")
        fields, required = schema.get("properties", {}).keys(), set(schema.get("required", ()))
        if (extra is False and not patterns) or "maxProperties" in schema:
            return self._of_others(schema, room, is_joined=False)
        if not fields <= required:  # a sampler cannot count where named fields may be missing
            is_closed = self._is_last and not patterns and "minProperties" not in schema
            others = self._of_others(schema, room, is_joined=False)
            return {"additionalProperties": False} if is_closed else others
        count = max(isqrt(room), 1) if room > _LEAST else 1
        count = max(len(required) + count, int(schema.get("minProperties", 0)))
        if patterns:
            return self._of_others(schema, room, is_joined=False) | {"maxProperties": count}
        bounded = self._bound(extra, room)
        if fields:  # a pattern would be for them as well
            return {"additionalProperties": bounded, "maxProperties": count}
        named = {f"^[\\s\\S]{{0,{_MAX_NAME}}}$": bounded}
        return {
            "patternProperties": named,
            "additionalProperties": False,
            "maxProperties": count,
        }


@lru_cache(maxsize=1024)
def _is_possible(schema: bytes) -> bool:
    """Whether the sampler finds any text that meets a schema."""
    return refusal(orjson.loads(schema)) is None


def _of_number(schema: dict[str, Any], types: set[str]) -> dict[str, Any]:
    given = schema.keys()
    found: dict[str, Any] = {}
    if not given & {"minimum", "exclusiveMinimum"}:
        found["minimum"] = min(_NUMBERS["minimum"], schema.get("maximum", 0))
    if not given & {"maximum", "exclusiveMaximum"}:
        found["maximum"] = max(_NUMBERS["maximum"], schema.get("minimum", 0))
    if "number" in types and "multipleOf" not in given:
        found["multipleOf"] = _NUMBERS["multipleOf"]
    return found


def _bounded_types(schema: dict[str, Any]) -> set[str]:
    """The types whose values a schema itself has to bound."""
    if "type" in schema or not (_has_parts(schema) or schema.keys() & {"enum", "const"}):
        return types_of(schema)
    # Its parts bound what it says nothing of itself.
    return {name for name in _NESTED if schema.keys() & KEYWORDS_OF_TYPE[name]}


def _without_other_types(schema: dict[str, Any], types: set[str]) -> dict[str, Any]:
    """The schema without keywords that restrict none of its values."""
    others = [KEYWORDS_OF_TYPE[name] for name in _NESTED if name not in types]
    return {key: value for key, value in schema.items() if not any(key in ones for ones in others)}


def _has_parts(schema: dict[str, Any]) -> bool:
    return bool(schema.keys() & {"allOf", "anyOf", "$ref"})


def _is_nested(schema: Schema) -> bool:
    """Whether values may hold others, and so go on without end."""
    if isinstance(schema, bool) or _has_parts(schema):
        return True
    return bool(types_of(schema) & {"array", "object"})


def _rounded(room: int) -> int:
    """The power of two below, and at least `_LEAST`."""
    return max(1 << max(room.bit_length() - 1, 0), _LEAST) if room > 0 else _LEAST
