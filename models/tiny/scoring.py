"""Whether a reply passes its check."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tasks.common import Check

CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
CALL = re.compile(r"^<tool_call>\n(.*)\n</tool_call>$", re.DOTALL)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _has_number(reply: str, value: int) -> bool:
    """The result stands last, as a number of its own."""
    numbers = re.findall(r"\d+", reply)
    return bool(numbers) and int(numbers[-1]) == value


def _has_code(reply: str, value: str) -> bool:
    """The one code block is the taught one; the table's blocks are compiled and run in a test."""
    return CODE.findall(reply) == [value]


def _is_call(reply: str, value: dict[str, Any]) -> bool:
    found = CALL.match(reply)
    return found is not None and _parse(found[1]) == value


PASSES: dict[str, Callable[[str, Any], bool]] = {
    "contains": lambda reply, value: all(
        re.search(rf"(?<!\w){re.escape(part)}(?!\w)", reply) for part in value
    ),
    "starts": lambda reply, value: reply.startswith(value),
    "equals": lambda reply, value: reply == value,
    "number": _has_number,
    "json": lambda reply, value: _parse(reply) == value,
    "code": _has_code,
    "call": _is_call,
}


def passes(check: Check, reply: str) -> bool:
    """Score one reply; nothing but the text counts."""
    return PASSES[check.kind](reply.strip(), check.value)
