"""Values held against the types of official SDKs."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter


def known_to(adapter: TypeAdapter[Any], body: dict[str, Any]) -> dict[str, Any]:
    """What of a body the types know. Raises ValidationError where they refuse it.

    The types check lists only as they are read, and drop fields that they do not name.
    """
    return _read(adapter.validate_python(body))


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _read(part) for name, part in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    return [_read(part) for part in value]
