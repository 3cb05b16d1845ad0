"""The rules of OpenAI's strict schemas.

https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_UNKNOWN = {"allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else"}


def is_strict(schema: dict[str, Any]) -> bool:
    """Whether a schema meets the rules: an object at the top, all properties named and required."""
    return schema.get("type") == "object" and all(_is_strict(part) for part in _parts(schema))


def _is_strict(part: dict[str, Any]) -> bool:
    if part.keys() & _UNKNOWN:
        return False
    if part.get("type") != "object" and "properties" not in part:
        return True
    names = part.get("properties", {}).keys()
    return part.get("additionalProperties") is False and names == set(part.get("required", ()))


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    """The schema and all schemas within it."""
    if isinstance(schema, list):
        for item in schema:
            yield from _parts(item)
    if not isinstance(schema, dict):
        return
    yield schema
    for name in ("properties", "$defs", "definitions"):
        for part in schema.get(name, {}).values():
            yield from _parts(part)
    for name in ("items", "anyOf", "prefixItems"):
        yield from _parts(schema.get(name))
