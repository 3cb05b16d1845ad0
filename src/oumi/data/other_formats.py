"""Files and rows in other formats than JSONL conversations, recognised so that errors name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BEGINNINGS = {
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"\x28\xb5\x2f\xfd": "a Zstandard file: unpack it first",
    b"PK\x03\x04": "a zip file (or a spreadsheet): unpack it, or export it as JSONL",
    b"PAR1": "a Parquet file: write it as JSONL",
    b"ARROW1": "an Arrow file: write it as JSONL",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"[": "a JSON array: write one conversation a line, as `jq -c '.[]'` does",
}
_WANTED = 'expected an object such as {"messages": [{"role": "user", "content": "…"}]}'


def other_format(first_line: bytes) -> str | None:
    """What a file is, if its first line shows that it is no JSONL at all."""
    for beginning, what in _BEGINNINGS.items():
        if first_line.startswith(beginning):
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
