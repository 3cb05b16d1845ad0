"""Inputs of a round: rows that name themselves, some with what few rows hold."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
MakeRows = Callable[[random.Random, int, int], list[Row]]

_HUGE = 2**200
_UNREADABLE = (
    '{"messages": [{"role": "user", "content": "cut\n',
    '{"messages": []}\n',
    '{"messages": [{"role": "boss", "content": "odd"}]}\n',
    '{"messages": [{"role": "user", "content": "\\ud83d"}]}\n',
    "[" * 5_000 + "]" * 5_000 + "\n",
    "null\n",
)


def make_rows(
    rng: random.Random, count: int, first: int = 0, *, with_bad: bool = False
) -> list[Row]:
    """Rows that ask for `row-<number>`; some of them cannot be read, where that is allowed."""
    rows = [_make_row(rng, number) for number in range(first, first + count)]
    for row in rng.sample(rows, count // 20) if with_bad else ():
        row["unreadable"] = rng.choice(_UNREADABLE)
    return rows


def make_sums(rng: random.Random, count: int, first: int = 0) -> list[Row]:
    """Rows for a small model, which costs time by the word."""
    rows = make_rows(rng, count, first)
    for row in rows:
        row.pop("tools", None)
        row["messages"] = row["messages"][-1:]
    return rows


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write the rows as JSONL, in the place of whatever is there."""
    path.write_text("".join(row.get("unreadable") or json.dumps(row) + "\n" for row in rows))


def question_of(row: Row) -> str:
    """What the row asks."""
    content = row["messages"][-1]["content"]
    return content if isinstance(content, str) else content[-1]["content"]


def _make_row(rng: random.Random, number: int) -> Row:
    row: Row = {"messages": [{"role": "user", "content": f"row-{number}"}], "number": number}
    odd = rng.choice([None, None, None, *_ODD])
    if odd is not None:
        odd(row)
    return row


def _huge_numbers(row: Row) -> None:
    row["metadata"] = {"wei": _HUGE, "negative": [-_HUGE]}


def _no_numbers(row: Row) -> None:
    row["metadata"] = {"score": float("nan"), "bound": float("inf")}


def _tool(row: Row) -> None:
    schema = {"type": "object", "properties": {"wei": {"type": "integer", "maximum": _HUGE}}}
    row["tools"] = [{"type": "function", "function": {"name": "pay", "parameters": schema}}]


def _nested(row: Row) -> None:
    value: Any = "deep"
    for _ in range(80):
        value = [value]
    row["metadata"] = {"value": value}


def _long(row: Row) -> None:
    row["messages"].insert(0, {"role": "system", "content": "x" * 50_000})


def _odd_text(row: Row) -> None:
    row["messages"].insert(
        0, {"role": "system", "content": "\u2028\x00\x1b[2J\u202e\U0001f600\ufeff"}
    )


def _parts(row: Row) -> None:
    text = row["messages"][-1]["content"]
    row["messages"][-1]["content"] = [{"type": "text", "content": text}]


_ODD = (_huge_numbers, _no_numbers, _tool, _nested, _long, _odd_text, _parts)
