"""Schemas for single values and for objects."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

from tests.structured.pieces import BOOL, INT, NULL, SCALARS, Schema, obj


def scalars() -> Iterator[tuple[str, Schema]]:
    yield from SCALARS.items()
    for low, high in ((0, 9), (-5, 5), (10, 99), (-1000, -1), (7, 7), (0, 10**12)):
        yield f"int {low} to {high}", {"type": "integer", "minimum": low, "maximum": high}
        yield f"num {low} to {high}", {"type": "number", "minimum": low, "maximum": high}
    for keyword, value in product(("exclusiveMinimum", "exclusiveMaximum"), (-3, 0, 0.5, 100)):
        yield f"{keyword} {value}", {"type": "number", keyword: value}
    for step in (2, 5, 10, 0.5, 0.25, 0.01, 7):
        kind = "integer" if isinstance(step, int) else "number"
        bounds = {"minimum": 0, "maximum": 100}
        yield f"multipleOf {step}", {"type": kind, "multipleOf": step, **bounds}
    for least, most in ((0, 0), (0, 5), (1, 1), (3, 8), (10, 12)):
        yield f"str {least} to {most}", {"type": "string", "minLength": least, "maxLength": most}


PATTERNS = [
    *("^[a-z]{3}$", "^[A-Z][a-z]{1,5}$", "^[0-9]{4}-[0-9]{2}$", "^(yes|no|maybe)$", "^\\d{3}$"),
    *(
        "^a*b$",
        "^[^a]{2}$",
        "^\\w{2,4}$",
        "^ä[ö-ü]$",
        "^.{3}$",
        "^(a|b){2,4}c?$",
        "^\\+[0-9]{2,6}$",
    ),
    *("[0-9]", "^x", "y$", "^$", "^[\\u4e00-\\u4e10]{1,2}$", '^"[a]"$', "^a/b$", "^\\\\n$"),
]
FORMATS = [
    *("date", "time", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"),
    *("uri", "uri-reference", "json-pointer", "regex", "idn-email", "made-up"),
]


def strings() -> Iterator[tuple[str, Schema]]:
    for pattern in PATTERNS:
        yield f"pattern {pattern}", {"type": "string", "pattern": pattern, "maxLength": 12}
        yield f"field of pattern {pattern}", obj({"a": {"type": "string", "pattern": pattern}})
    for name in FORMATS:
        yield f"format {name}", {"type": "string", "format": name}
        yield f"field of format {name}", obj({"when": {"type": "string", "format": name}, "n": INT})


VALUES: list[list[Any]] = [
    *(["a"], ["a", "b"], [1, 2, 3], [0.5, 1.5], [True], [None], ["a", 1, None, True], ["", " "]),
    *(["ä", "日本", "🙂"], ['"', "\\", "/"], ["\n", "\t"], ["null", None], ["1", 1], [1, 1.5]),
    *([f"v{i}" for i in range(60)], [{"a": 1}, {"a": 2}], [[1, 2], []], [-1, 0, 10**9], [1e-3]),
]


def values() -> Iterator[tuple[str, Schema]]:
    for at, values in enumerate(VALUES):
        yield f"enum {at}", {"enum": values}
        yield f"const {at}", {"const": values[-1]}
        yield f"field of enum {at}", obj({"choice": {"enum": values}, "sure": BOOL})
    yield "enum with type", {"type": "string", "enum": ["a", 1, "b"]}
    yield "enum with bounds", {"type": "integer", "enum": [1, 20, 300], "minimum": 10}


def objects() -> Iterator[tuple[str, Schema]]:
    for name, part in SCALARS.items():
        yield f"object of {name}", obj({"a": part})
        yield f"optional {name}", obj({"a": part, "b": INT}, ["b"])
        yield f"all optional {name}", obj({"a": part, "b": part}, [])
        yield f"nullable {name}", obj({"a": {"anyOf": [part, NULL]}}, [])
        yield f"null by default {name}", obj({"a": {"anyOf": [part, NULL], "default": None}}, [])
        yield f"map of {name}", {"type": "object", "additionalProperties": part, "maxProperties": 3}
        yield f"open object of {name}", obj({"a": part}, additionalProperties=True)
        yield f"unstated object of {name}", {"type": "object", "properties": {"a": part}}
        yield f"mixed map of {name}", obj({"a": part}, additionalProperties=part)
        patterned = {"patternProperties": {"^x-[a-z]$": part}, "additionalProperties": False}
        yield f"patternProperties of {name}", {"type": "object", **patterned}
    yield "empty object", obj({})
    yield "any object", {"type": "object"}
    yield "twenty fields", obj({f"field_{i}": BOOL for i in range(20)})
    yield "hundred optional fields", obj({f"f{i}": INT for i in range(100)}, [])
    for least, most in ((0, 2), (1, 1), (2, 3)):
        sizes = {"minProperties": least, "maxProperties": most}
        yield f"map of {least} to {most}", {"type": "object", "additionalProperties": INT, **sizes}
        yield f"fields {least} to {most}", obj({"a": INT, "b": INT, "c": INT}, [], **sizes)
    names = {"propertyNames": {"pattern": "^[a-c]$"}, "additionalProperties": INT}
    yield "propertyNames", {"type": "object", **names}
    yield (
        "unevaluatedProperties",
        {"type": "object", "properties": {"a": INT}, "unevaluatedProperties": False},
    )
    yield "forbidden field", obj({"a": INT, "b": False}, ["a"])
    yield "field of anything", obj({"a": True}, ["a"])


KEYS = [
    *("ä", "日本語", "🙂", "a b", "", '"', "\\", "a/b", "~", "$ref", "$defs", "type", "properties"),
    *(
        "\n",
        "a.b",
        "-",
        "0",
        "value",
        "key",
        "const",
        "x" * 60,
        "null",
        "items",
        "enum",
        "required",
    ),
]


def keys() -> Iterator[tuple[str, Schema]]:
    for key in KEYS:
        yield f"key {key!r}", obj({key: INT, "other": BOOL}, [key])
    yield "all keys", obj(dict.fromkeys(KEYS, BOOL))
