"""Schemas that hold others: lists, alternatives, references; and what people ask for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from tests.structured.pieces import (
    BOOL,
    COLOUR,
    INT,
    NULL,
    NUM,
    SCALARS,
    STR,
    Schema,
    arr,
    obj,
    ref,
)


def arrays() -> Iterator[tuple[str, Schema]]:
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


def unions() -> Iterator[tuple[str, Schema]]:
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


def all_of() -> Iterator[tuple[str, Schema]]:
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


def references() -> Iterator[tuple[str, Schema]]:
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


EMAIL: Schema = {"type": "string", "format": "email"}
PERSON = obj({"name": STR, "age": INT, "email": EMAIL}, ["name"])
MONEY = obj({"amount": NUM, "currency": {"enum": ["EUR", "USD"]}})
SKU: Schema = {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"}
LINE = obj({"sku": SKU, "count": INT, "price": MONEY})
DATE: Schema = {"type": "string", "format": "date"}
SPAN = arr(INT, minItems=2, maxItems=2)
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
FACTS: Schema = {"type": "object", "additionalProperties": NUM, "maxProperties": 2}
LATITUDE: Schema = {"type": "number", "minimum": -90, "maximum": 90}
LONGITUDE: Schema = {"type": "number", "minimum": -180, "maximum": 180}
REAL: dict[str, Schema] = {
    "person": PERSON,
    "people": obj({"people": arr(PERSON), "total": INT}),
    "invoice": obj({"id": INT, "lines": arr(LINE, minItems=1), "due": DATE}),
    "sentiment": obj({"label": {"enum": ["good", "bad"]}, "score": SHARE}),
    "entities": arr(obj({"text": STR, "kind": {"enum": ["person", "place"]}, "span": SPAN})),
    "tool call": obj(
        {"name": {"const": "search"}, "arguments": obj({"query": STR, "limit": INT}, ["query"])}
    ),
    "ticket": obj(
        {
            "title": STR,
            "priority": {"enum": [1, 2, 3]},
            "tags": arr(STR),
            "assignee": {"anyOf": [STR, NULL]},
        }
    ),
    "recipe": obj({"steps": arr(STR), "minutes": INT, "nutrition": FACTS}),
    "coordinates": obj({"lat": LATITUDE, "lon": LONGITUDE}),
    "answer": obj({"reasoning": STR, "answer": {"enum": ["A", "B", "C", "D"]}}),
}


def real() -> Iterator[tuple[str, Schema]]:
    yield from REAL.items()
    for levels in (2, 4, 8, 12):
        objects, lists = INT, STR
        for _ in range(levels):
            objects, lists = obj({"a": objects}), arr(lists, maxItems=1)
        yield f"{levels} levels", objects
        yield f"{levels} lists", lists
