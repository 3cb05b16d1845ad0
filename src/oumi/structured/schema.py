"""One normal form of a JSON schema, whichever way it was given."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel

from oumi.errors import ConfigError


def to_json_schema(given: Any) -> dict[str, Any]:
    """A JSON schema as a dict, from a dict, JSON text or a Pydantic class. Raises ConfigError."""
    if isinstance(given, type) and issubclass(given, BaseModel):
        return given.model_json_schema()
    if isinstance(given, str):
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"guided_decoding.json: not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ConfigError(
            "guided_decoding.json: expected a schema as a dict, JSON text or a Pydantic class, "
            f"found {type(given).__name__}"
        )
    return given
