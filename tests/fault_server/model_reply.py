"""What an answer says, taken from the plan, for forms other than that of OpenAI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import orjson

from tests.fault_server.plan import Plan


@dataclass(frozen=True, slots=True)
class ModelReply:
    """Thoughts, text, and calls as (id, name, arguments)."""

    reasoning: str
    text: str
    calls: list[tuple[str, str, dict[str, Any]]]

    @property
    def words(self) -> list[str]:
        """The text in pieces."""
        return re.findall(r"\S+\s*", self.text)


def read(row: str, plan: Plan, forced_tool: str | None) -> ModelReply:
    """What the plan's message says. A tool that has to be called gets the text as arguments."""
    text = plan.message.get("content", f"answer to {row}") or ""
    calls = [
        (call["id"], call["function"]["name"], orjson.loads(call["function"]["arguments"]))
        for call in plan.message.get("tool_calls") or ()
    ]
    if forced_tool and not calls:
        calls, text = [("call-1", forced_tool, _arguments(text))], ""
    return ModelReply(plan.message.get("reasoning_content") or "", text, calls)


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"text": text}
    return value if isinstance(value, dict) else {"value": value}
