"""The id of a request in a batch: the number and the key of its row.

The strictest provider takes 64 characters: letters, digits, `-` and `_`.
https://docs.anthropic.com/en/api/creating-message-batches
"""

from __future__ import annotations

import re

_PATTERN = re.compile(r"r(\d+)-([0-9a-f]{32})")


def make_id(row: int, key: str) -> str:
    """The id of a row's request."""
    return f"r{row}-{key}"


def read_id(custom_id: str) -> tuple[int, str] | None:
    """The row and its key; None for an id that `make_id` did not make."""
    match = _PATTERN.fullmatch(custom_id)
    return (int(match[1]), match[2]) if match else None
