"""One way to read JSON, so that what is checked is what is handed out."""

from __future__ import annotations

from typing import Any

from pydantic_core import from_json


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError; NaN and nesting deeper than 200 are refused.

    Of a name that stands twice the last counts, as with Python's json and orjson. Integers of any
    size are exact, which orjson's are not. This is the parser by which Pydantic reads JSON.
    """
    return from_json(text, allow_inf_nan=False, cache_strings="keys")
