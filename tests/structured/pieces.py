"""Small schemas of which those of the corpus are made."""

from __future__ import annotations

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
