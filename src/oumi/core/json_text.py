"""One JSON parser for the whole package: the value that is checked is the value returned."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, also for NaN and for nesting deeper than 200.

    If an object has a name twice, the last one counts, as in Python's json and orjson. Integers
    of any size are exact; orjson makes floats of large ones. Pydantic uses the same parser.
    """
    return from_json(text, allow_inf_nan=False, cache_strings="keys")
