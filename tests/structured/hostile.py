"""Schemas made to break whatever works on them, and what the error message names."""

from __future__ import annotations

from typing import Any


def doubling(keyword: str, steps: int) -> dict[str, Any]:
    """Each definition refers twice to the next one."""
    defs: dict[str, Any] = {
        f"d{i}": {keyword: [{"$ref": f"#/$defs/d{i + 1}"}] * 2} for i in range(steps)
    }
    defs[f"d{steps}"] = {"type": "object", "properties": {"x": {"type": "integer"}}}
    return {"$ref": "#/$defs/d0", "$defs": defs}


def nested(levels: int) -> dict[str, Any]:
    """Lists nested within each other."""
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def fields(count: int, schema: dict[str, Any]) -> dict[str, Any]:
    """An object with many fields of one kind."""
    return {"type": "object", "properties": {f"f{i}": schema for i in range(count)}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "references double, all": (doubling("allOf", 40), r"\$ref: .*references multiply"),
    "references double, any": (doubling("anyOf", 40), r"\$ref: .*references multiply"),
    "references too deep": (
        {
            "$ref": "#/$defs/d0",
            "$defs": {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(2_000)} | {"d2000": {}},
        },
        r"\$ref: references too deep",
    ),
    "a reference to itself": ({"$ref": "#"}, r"\$ref: # leads back to itself"),
    "references in a ring": (
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}},
        },
        r"\$ref: .* leads back to itself",
    ),
    "a million values": ({"enum": [f"v{i}" for i in range(1_000_000)]}, "bytes long; at most"),
    "a thousand levels": (nested(1_000), "deeper than 128 levels"),
    "a hundred thousand levels": (nested(100_000), "deeper than 128 levels"),
    "no end of fields": (
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        r"\$ref: no value fits",
    ),
    "no end of items": (
        {
            "$ref": "#/$defs/a",
            "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}, "minItems": 1}},
        },
        r"\$ref: no value fits",
    ),
    "a billion items": ({"type": "array", "minItems": 10**9}, "minItems 1,000,000,000"),
    "a billion letters": ({"type": "string", "minLength": 10**9}, "minLength 1,000,000,000"),
    "a billion fields": ({"type": "object", "minProperties": 10**9}, "minProperties 1,000"),
    "repeated repetitions": (
        {"pattern": "^((((a{100}){100}){100}){100})$"},
        "pattern: .*too large",
    ),
    "optional repetitions": ({"pattern": "^((a{0,100}){0,100}){0,100}$"}, "pattern: .*too large"),
}

TOO_LARGE_FOR_A_SAMPLER: dict[str, dict[str, Any]] = {
    "combinations": {
        "allOf": [
            {"anyOf": [{"type": "object", "properties": {f"p{i}": {"const": j}}} for j in range(4)]}
            for i in range(10)
        ]
    },
    "many long lists": fields(3_000, {"type": "array", "items": {}, "maxItems": 1_000}),
}
"""Beyond the sampler's own limits, so that a part of them is checked in answers only."""

HARMLESS: dict[str, dict[str, Any]] = {
    "exponential for a backtracker": {"type": "string", "pattern": "^(a+)+b$"},
    "large for an automaton": {"type": "string", "pattern": "^[ab]*a[ab]{400}$"},
    "a long way of references": {
        "$ref": "#/$defs/d0",
        "$defs": {
            f"d{i}": fields(1, {"$ref": f"#/$defs/d{i + 1}"} if i < 400 else {"type": "null"})
            for i in range(401)
        },
    },
    "no end": {"type": "array", "items": {"type": "integer"}, "maxItems": 10**9},
    "a tree of references": {
        "$ref": "#/$defs/d0",
        "$defs": {
            **{
                f"d{i}": {
                    "type": "object",
                    "properties": {
                        "l": {"$ref": f"#/$defs/d{i + 1}"},
                        "r": {"$ref": f"#/$defs/d{i + 1}"},
                    },
                    "required": ["l", "r"],
                }
                for i in range(40)
            },
            "d40": {"type": "integer"},
        },
    },
    "many alternatives": {
        "anyOf": [fields(2, {"const": i}) | {"required": ["f0"]} for i in range(1_000)]
    },
}
"""Accepted; an answer may be cut off."""
