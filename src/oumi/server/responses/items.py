"""The items of an input to messages.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.types.content_item import ContentItem
from oumi.core.types.conversation import Message, Role
from oumi.core.types.tool_call import FunctionCall, ToolCall

_TEXTS = ("text", "refusal")


class _Turn:
    """An answer that is put together from its items."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.thought = ""
        self.calls: list[ToolCall] = []

    def message(self) -> Message:
        """The answer as one message."""
        return Message(
            role=Role.ASSISTANT,
            content=self.text if self.text is not None or self.calls else "",
            reasoning_content=self.thought or None,
            tool_calls=self.calls or None,
        )


def read_items(given: str | list[dict[str, Any]]) -> list[Message]:
    """The messages. Thoughts, text and calls that follow each other are one answer.

    Raises ValueError, TypeError or LookupError for what is no item.
    """
    if isinstance(given, str):
        return [Message(role=Role.USER, content=given)]
    messages: list[Message] = []
    turn: _Turn | None = None
    for number, item in enumerate(given):
        try:
            if _is_of_answer(item):
                turn = _add(turn, item, messages)
                continue
            if turn is not None:
                messages.append(turn.message())
                turn = None
            messages.append(_read_other(item))
        except LookupError as error:
            raise ValueError(f"item {number} has no field {error}") from None
    return messages if turn is None else [*messages, turn.message()]


def _is_of_answer(item: Mapping[str, Any]) -> bool:
    return item.get("type") in ("function_call", "reasoning") or item.get("role") == "assistant"


def _add(turn: _Turn | None, item: Mapping[str, Any], messages: list[Message]) -> _Turn:
    """The answer with an item added. A second text, or a thought after the text, begins another."""
    kind = item.get("type", "message")
    is_next = turn is not None and kind != "function_call" and (turn.text is not None or turn.calls)
    if turn is not None and is_next:
        messages.append(turn.message())
        turn = None
    turn = turn or _Turn()
    if kind == "function_call":
        call = FunctionCall(name=item["name"], arguments=item["arguments"])
        turn.calls.append(ToolCall(id=item["call_id"], function=call))
    elif kind == "reasoning":
        parts = [*(item.get("content") or ()), *(item.get("summary") or ())]
        turn.thought += "".join(part["text"] for part in parts)
    else:
        turn.text = _text(item["content"])
    return turn


def _text(content: Any) -> str:
    """The text of an answer, whose parts may also be what it refused with."""
    if isinstance(content, str):
        return content
    return "".join(part.get(name) or "" for part in content for name in _TEXTS)


def _read_other(item: Mapping[str, Any]) -> Message:
    kind = item.get("type", "message")
    if kind == "function_call_output":
        return Message(
            role=Role.TOOL, content=_content(item["output"]), tool_call_id=item["call_id"]
        )
    if kind != "message":
        raise ValueError(f"an item of type {kind!r}, which is not supported here")
    return Message(role=Role(item["role"]), content=_content(item["content"]))


def _content(content: Any) -> str | list[ContentItem]:
    if isinstance(content, str):
        return content
    return [ContentItem.model_validate(part) for part in content]
