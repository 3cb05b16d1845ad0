"""Files and rows in other formats than those that are read, recognised so that errors name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BEGINNINGS = {
    b"PK\x03\x04": "a zip file (or a spreadsheet): unpack it, or export it as CSV",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"FEA1": "a Feather file of version 1: write it again as version 2, or as Parquet",
    b"BZh": "a bzip2 file: unpack it, or pack it as .gz or .zst",
    b"\xfd7zXZ": "an xz file: unpack it, or pack it as .gz or .zst",
}
_WANTED = 'expected an object such as {"messages": [{"role": "user", "content": "…"}]}'


def other_format(start: bytes) -> str | None:
    """What a file is, if its first bytes show that it is none that can be read."""
    for beginning, what in _BEGINNINGS.items():
        if start.startswith(beginning):
            return what
    return None


def other_row(row: Any) -> str | None:
    """What a JSON value is, if it is no conversation; None for an object with messages."""
    if not isinstance(row, dict):
        return f"{type(row).__name__} in place of a conversation; {_WANTED}"
    if "messages" in row:
        return None
    return f"{_kind(row)}; {_WANTED}"


def _kind(row: Mapping[str, Any]) -> str:
    if isinstance(row.get("conversations"), list):
        return "a row in ShareGPT's format (`conversations` with from and value)"
    if "custom_id" in row and "body" in row:
        return "a line of an OpenAI batch file: its conversation is in `body`"
    if "instruction" in row:
        return "a row in Alpaca's format (`instruction`, `input`)"
    if not row:
        return "an empty object"
    return f"no `messages` among the fields {', '.join(map(repr, list(row)[:8]))}"
