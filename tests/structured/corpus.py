"""Schemas of many kinds, written for this project: what people ask for, and every keyword alone,
together with others, and at the edges. `CORPUS` has a name and a schema for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

Schema = dict[str, Any]

STR: Schema = {"type": "string", "maxLength": 8}
INT: Schema = {"type": "integer", "minimum": 0, "maximum": 99}
NUM: Schema = {"type": "number", "minimum": -9, "maximum": 9}
BOOL: Schema = {"type": "boolean"}
NULL: Schema = {"type": "null"}
COLOUR: Schema = {"enum": ["red", "green", "blue"]}
SCALARS = {"str": STR, "int": INT, "num": NUM, "bool": BOOL, "null": NULL, "enum": COLOUR}


def obj(fields: Schema, required: list[str] | None = None, **more: Any) -> Schema:
    """A closed object whose fields are all required unless said otherwise."""
    needed = list(fields) if required is None else required
    closed = {"additionalProperties": False} | more
    return {"type": "object", "properties": fields, "required": needed, **closed}


def arr(items: Any, **more: Any) -> Schema:
    return {"type": "array", "items": items, "maxItems": 3} | more


def ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _scalars() -> Iterator[tuple[str, Schema]]:
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


def _strings() -> Iterator[tuple[str, Schema]]:
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


def _values() -> Iterator[tuple[str, Schema]]:
    for at, values in enumerate(VALUES):
        yield f"enum {at}", {"enum": values}
        yield f"const {at}", {"const": values[-1]}
        yield f"field of enum {at}", obj({"choice": {"enum": values}, "sure": BOOL})
    yield "enum with type", {"type": "string", "enum": ["a", 1, "b"]}
    yield "enum with bounds", {"type": "integer", "enum": [1, 20, 300], "minimum": 10}


def _objects() -> Iterator[tuple[str, Schema]]:
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


def _keys() -> Iterator[tuple[str, Schema]]:
    for key in KEYS:
        yield f"key {key!r}", obj({key: INT, "other": BOOL}, [key])
    yield "all keys", obj(dict.fromkeys(KEYS, BOOL))


def _arrays() -> Iterator[tuple[str, Schema]]:
    for name, part in SCALARS.items():
        yield f"list of {name}", arr(part)
        yield f"set of {name}", arr(part, uniqueItems=True)
        yield f"list of lists of {name}", arr(arr(part))
        yield f"list of objects of {name}", arr(obj({"a": part, "b": part}, ["a"]))
    for least, most in ((0, 0), (0, 1), (1, 1), (2, 4), (5, 5)):
        yield f"list of {least} to {most}", arr(INT, minItems=least, maxItems=most)
    fixed = {"type": "array", "prefixItems": [STR, INT]}
    yield "tuple", {**fixed, "minItems": 2, "maxItems": 2}
    yield "closed tuple", {**fixed, "items": False, "minItems": 2}
    yield "shorter tuple", {**fixed, "items": False}
    yield "longer tuple", {**fixed, "items": BOOL, "maxItems": 4}
    yield (
        "tuple of objects",
        {**fixed, "prefixItems": [obj({"a": INT}, [])], "minItems": 1, "maxItems": 1},
    )
    yield "contains", {"type": "array", "items": INT, "contains": {"const": 1}, "maxItems": 3}
    yield "list of anything", {"type": "array", "maxItems": 2}
    yield "list of nothing", {"type": "array", "items": False}


def _unions() -> Iterator[tuple[str, Schema]]:
    pairs = [(a, b) for a, b in product(SCALARS, SCALARS) if a < b]
    for one, other in pairs:
        yield f"{one} or {other}", {"anyOf": [SCALARS[one], SCALARS[other]]}
    for one, other in pairs[::3]:
        yield f"one of {one} or {other}", {"oneOf": [SCALARS[one], SCALARS[other]]}
        yield (
            f"field of {one} or {other}",
            obj({"a": {"anyOf": [SCALARS[one], SCALARS[other]]}}, []),
        )
    cat = obj({"kind": {"const": "cat"}, "lives": INT, "name": STR}, ["kind", "lives"])
    dog = obj({"kind": {"const": "dog"}, "tricks": arr(STR)}, ["kind"])
    for keyword in ("anyOf", "oneOf"):
        yield f"tagged {keyword}", {keyword: [cat, dog]}
        yield f"list of tagged {keyword}", arr({keyword: [cat, dog]})
        yield (
            f"different fields {keyword}",
            {keyword: [obj({"a": INT}, []), obj({"b": INT}, ["b"])]},
        )
        yield f"same fields {keyword}", {keyword: [obj({"a": INT}, []), obj({"a": STR})]}
        yield f"object or list {keyword}", {keyword: [obj({"a": INT}, []), arr(INT)]}
        yield f"overlapping {keyword}", {keyword: [{"type": "integer", "maximum": 5}, INT]}
        yield f"nested {keyword}", {keyword: [{keyword: [BOOL, NULL]}, INT, STR]}
    yield "type list", {"type": ["string", "null"], "maxLength": 5}
    yield "type list of all", {"type": ["string", "integer", "boolean", "null"], "maxLength": 5}
    yield "type list with object", {"type": ["object", "null"], "properties": {"a": INT}}
    yield "type list with array", {"type": ["array", "integer"], "items": INT, "maxItems": 2}
    either = [{"required": ["a"]}, {"required": ["b"]}]
    yield "either field", obj({"a": INT, "b": INT}, [], anyOf=either)


def _all_of() -> Iterator[tuple[str, Schema]]:
    yield "allOf bounds", {"type": "integer", "allOf": [{"minimum": 3}, {"maximum": 8}]}
    yield "allOf one", obj({"a": {"allOf": [COLOUR], "description": "a colour"}})
    base = {"type": "object", "properties": {"id": INT}, "required": ["id"]}
    more = {"type": "object", "properties": {"name": STR}}
    yield "inheritance", {"allOf": [base, more]}
    yield "inheritance by reference", {"allOf": [ref("base"), more], "$defs": {"base": base}}
    yield "unevaluated", {"allOf": [base, more], "unevaluatedProperties": False}
    yield "closed inheritance", {"allOf": [obj({"a": INT}), more]}
    yield "allOf lengths", {"allOf": [{"type": "string", "minLength": 2}, {"maxLength": 4}]}
    yield "allOf patterns", {"type": "string", "allOf": [{"pattern": "^a"}, {"pattern": "b$"}]}
    yield "not", {"type": "string", "maxLength": 3, "not": {"const": "a"}}
    yield "not required", obj({"a": INT, "b": INT}, [], **{"not": {"required": ["b"]}})
    yield (
        "if",
        obj(
            {"a": BOOL, "b": INT},
            ["a"],
            **{"if": {"properties": {"a": {"const": True}}}, "then": {"required": ["b"]}},
        ),
    )
    yield "dependentRequired", obj({"a": INT, "b": INT}, [], dependentRequired={"a": ["b"]})
    yield (
        "dependentSchemas",
        obj({"a": INT, "b": INT}, [], dependentSchemas={"a": {"required": ["b"]}}),
    )


def _references() -> Iterator[tuple[str, Schema]]:
    point = obj({"x": INT, "y": INT})
    yield "reference", {"$ref": "#/$defs/point", "$defs": {"point": point}}
    yield "shared", obj({"from": ref("point"), "to": ref("point")}) | {"$defs": {"point": point}}
    yield "optional reference", obj({"at": ref("point")}, []) | {"$defs": {"point": point}}
    noted = {**ref("point"), "description": "where it is"}
    yield "reference with words", obj({"at": noted}) | {"$defs": {"point": point}}
    yield "list of references", arr(ref("point")) | {"$defs": {"point": point}}
    yield "chain", obj({"a": ref("b")}) | {"$defs": {"b": ref("c"), "c": arr(ref("d")), "d": INT}}
    yield "ä in a name", obj({"a": ref("größe")}) | {"$defs": {"größe": INT}}
    yield "to a field", obj({"a": point, "b": {"$ref": "#/properties/a"}})
    yield "old draft", {"definitions": {"n": INT}, **obj({"n": {"$ref": "#/definitions/n"}})}
    yield "tree", obj({"v": INT, "children": arr({"$ref": "#"})}, ["v"])
    yield "linked list", obj({"v": INT, "next": {"anyOf": [{"$ref": "#"}, NULL]}})
    tree = obj({"l": ref("tree"), "r": ref("tree"), "v": INT}, ["v"])
    yield "binary tree", ref("tree") | {"$defs": {"tree": tree}}
    even = obj({"odd": ref("odd")}, [])
    odd = obj({"even": ref("even"), "n": INT}, ["n"])
    yield "mutual", ref("even") | {"$defs": {"even": even, "odd": odd}}
    yield (
        "json",
        {
            "anyOf": [
                INT,
                BOOL,
                NULL,
                arr({"$ref": "#"}),
                {"type": "object", "additionalProperties": {"$ref": "#"}},
            ]
        },
    )
    sum_ = obj({"op": {"enum": ["+", "*"]}, "args": arr({"$ref": "#"}, minItems=2)})
    yield "expression", {"anyOf": [INT, sum_]}


def _real() -> Iterator[tuple[str, Schema]]:
    person = obj(
        {"name": STR, "age": INT, "email": {"type": "string", "format": "email"}}, ["name"]
    )
    yield "person", person
    yield "people", obj({"people": arr(person), "total": INT})
    money = obj({"amount": NUM, "currency": {"enum": ["EUR", "USD"]}})
    line = obj(
        {"sku": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"}, "count": INT, "price": money}
    )
    invoice = {
        "id": INT,
        "lines": arr(line, minItems=1),
        "due": {"type": "string", "format": "date"},
    }
    yield "invoice", obj(invoice)
    yield (
        "sentiment",
        obj(
            {
                "label": {"enum": ["good", "bad"]},
                "score": {"type": "number", "minimum": 0, "maximum": 1},
            }
        ),
    )
    yield (
        "entities",
        arr(
            obj(
                {
                    "text": STR,
                    "kind": {"enum": ["person", "place"]},
                    "span": arr(INT, minItems=2, maxItems=2),
                }
            )
        ),
    )
    yield (
        "tool call",
        obj(
            {"name": {"const": "search"}, "arguments": obj({"query": STR, "limit": INT}, ["query"])}
        ),
    )
    yield (
        "ticket",
        obj(
            {
                "title": STR,
                "priority": {"enum": [1, 2, 3]},
                "tags": arr(STR),
                "assignee": {"anyOf": [STR, NULL]},
            }
        ),
    )
    yield (
        "recipe",
        obj(
            {
                "steps": arr(STR),
                "minutes": INT,
                "nutrition": {"type": "object", "additionalProperties": NUM, "maxProperties": 2},
            }
        ),
    )
    yield (
        "coordinates",
        obj(
            {
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lon": {"type": "number", "minimum": -180, "maximum": 180},
            }
        ),
    )
    yield "answer", obj({"reasoning": STR, "answer": {"enum": ["A", "B", "C", "D"]}})
    for levels in (2, 4, 8, 12):
        part: Schema = INT
        for _ in range(levels):
            part = obj({"a": part})
        yield f"{levels} levels", part
        part = STR
        for _ in range(levels):
            part = arr(part, maxItems=1)
        yield f"{levels} lists", part


CORPUS: dict[str, Schema] = {
    name: schema
    for family in (
        *(_scalars, _strings, _values, _objects, _keys),
        *(_arrays, _unions, _all_of, _references, _real),
    )
    for name, schema in family()
}
