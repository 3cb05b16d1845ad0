"""Values of tables, whatever their type, in the form that JSON has for them."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

_PLAIN = (str, int, float, bool, type(None))


def to_plain(value: Any) -> Any:
    """A value in the form that JSON has for it: dates in ISO 8601, bytes in base64, decimals and
    whatever else as text.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {str(name): to_plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(part) for part in value]
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):  # of numpy
        return to_plain(value.tolist())
    return str(value)


def is_empty(value: Any) -> bool:
    """Whether a cell holds nothing: null, an empty text, or NaN, which is pandas' null."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def without_nulls(value: Any) -> Any:
    """A dict without its fields that are null, which tables fill up rows of several kinds with."""
    if not isinstance(value, dict):
        return value
    return {name: part for name, part in value.items() if part is not None}
