"""The id of a request in a batch: the number and the key of its row.

The strictest provider takes 64 characters: letters, digits, `-` and `_`.
https://docs.anthropic.com/en/api/creating-message-batches
"""

from __future__ import annotations

import re

_PATTERN = re.compile(r"r([0-9]{1,18})-([0-9a-f]{32})")
_IN_TEXT = re.compile(rb"\b" + _PATTERN.pattern.encode() + rb"\b")


def make_id(row: int, key: str) -> str:
    """The id of a row's request."""
    return f"r{row}-{key}"


def read_id(custom_id: str) -> tuple[int, str] | None:
    """The row and its key; None for an id that `make_id` did not make."""
    match = _PATTERN.fullmatch(custom_id)
    return (int(match[1]), match[2]) if match else None


def find_id(text: bytes) -> str:
    """The first id in a text that `make_id` has made; empty where there is none."""
    match = _IN_TEXT.search(text)
    return match[0].decode() if match else ""
