"""Schemas in short: `name, age int, tags list[str], note?: anything else that matters`."""

from __future__ import annotations

import re
from typing import Any

_TYPES = {
    "str": "string",
    "string": "string",
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
}
_FIELD = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?P<optional>\?)?"
    r"(?:\s+(?:list\[(?P<item>\w+)\]|(?P<type>\w+)))?"
    r"(?:\s*:\s*(?P<description>.+))?"
)
_START = re.compile(r"\s*[A-Za-z_]\w*\??\s*(?:[\s,:].*)?", re.DOTALL)


def is_short_form(text: str) -> bool:
    """Whether a text may be one: it begins with a name, and not with a path."""
    return _START.fullmatch(text) is not None


def parse_short_form(text: str) -> dict[str, Any]:
    """The schema of an object with these fields, one after a comma or in a line each.

    A field is a name, a type (`str`, which may be left out, `int`, `float`, `bool`, or one of them
    as in `list[int]`), and a description after a colon. With a `?` behind its name it may be
    missing. Raises ValueError, which names the field.
    """
    fields = [field.strip() for field in re.split(r"\n" if "\n" in text else ",", text)]
    properties: dict[str, Any] = {}
    required = []
    for field in filter(None, fields):
        name, schema, is_optional = _parse_field(field)
        if name in properties:
            raise ValueError(f"{name!r} is given twice")
        properties[name] = schema
        required += [] if is_optional else [name]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _parse_field(field: str) -> tuple[str, dict[str, Any], bool]:
    found = _FIELD.fullmatch(field)
    if found is None:
        raise ValueError(f"{field!r:.80}: expected a name, a type and `: description`")
    if found["item"]:
        schema: dict[str, Any] = {"type": "array", "items": {"type": _type(found["item"], field)}}
    else:
        schema = {"type": _type(found["type"] or "str", field)}
    if found["description"]:
        schema["description"] = found["description"].strip()
    return found["name"], schema, bool(found["optional"])


def _type(name: str, field: str) -> str:
    if name not in _TYPES:
        raise ValueError(
            f"{field!r:.80}: no type {name!r}: str, int, float, bool, or such as list[int]"
        )
    return _TYPES[name]
