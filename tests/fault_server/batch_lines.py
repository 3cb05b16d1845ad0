"""The lines of results as the plan spoils them, and batches as the plan forgets them."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.fault_server.plan import BatchPlan


def join(values: list[dict[str, Any]], how: BatchPlan) -> bytes:
    """A file of results."""
    lines = b"".join(_spoil(value, how) + b"\n" for value in values)
    return lines[:-1] if how.no_last_newline else lines


def listed(batches: list[dict[str, Any]], how: BatchPlan) -> list[dict[str, Any]]:
    """Those of the batches that a list has."""
    gone = () if how.lists_forgotten else how.forgotten
    return [batch for batch in batches if batch["id"] not in gone]


def _spoil(value: dict[str, Any], how: BatchPlan) -> bytes:
    line = orjson.dumps(value)
    number = re.search(r"\d+", value["custom_id"])
    if number is None or number[0] not in how.line_edits:
        return line
    pattern, put = (text.encode("latin-1") for text in how.line_edits[number[0]])
    return re.sub(pattern, put, line, count=1, flags=re.DOTALL)
