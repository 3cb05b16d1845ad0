"""One normal form of a JSON schema, whichever way it was given."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel


def to_json_schema(given: Any) -> dict[str, Any]:
    """A JSON schema as a dict, from a dict, JSON text or a Pydantic class. Raises ValueError."""
    if isinstance(given, type) and issubclass(given, BaseModel):
        return given.model_json_schema()
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"not JSON: {error}") from error
    if not isinstance(given, dict):
        found = type(given).__name__
        raise ValueError(f"expected a dict, JSON text or a Pydantic class, found {found}")
    return given
