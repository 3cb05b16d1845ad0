"""Turns of blocks to messages.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oumi.core.types.content_item import ContentItem
from oumi.core.types.conversation import Message, Role
from oumi.core.types.tool_call import FunctionCall, ToolCall

Blocks = list[dict[str, Any]]

_THOUGHTS = ("thinking", "redacted_thinking")


def read_turn(role: str, content: str | Blocks) -> list[Message]:
    """The messages of a turn: one, but for results of tools, each of which is a message here.

    Raises ValueError, TypeError or LookupError for what is none.
    """
    if isinstance(content, str):
        return [Message(role=Role(role), content=content)]
    return _READERS[role](content)


def _read_user(blocks: Blocks) -> list[Message]:
    messages = [_read_result(block) for block in blocks if block.get("type") == "tool_result"]
    items = [_read_item(block) for block in blocks if block.get("type") != "tool_result"]
    return [*messages, Message(role=Role.USER, content=items)] if items else messages


def _read_result(block: dict[str, Any]) -> Message:
    content = block.get("content") or ""
    items = content if isinstance(content, str) else [_read_item(part) for part in content]
    return Message(
        role=Role.TOOL,
        content=items,
        tool_call_id=block["tool_use_id"],
        cache_control=block.get("cache_control"),
    )


def _read_item(block: dict[str, Any]) -> ContentItem:
    if block.get("type") not in ("text", "image", "document"):
        raise ValueError(f"a block of type {block.get('type')!r}, which is not supported here")
    return ContentItem.model_validate(block)


def _read_system(blocks: Blocks) -> list[Message]:
    return [Message(role=Role.SYSTEM, content=list(map(_read_item, blocks)))]


def _read_assistant(blocks: Blocks) -> list[Message]:
    """An earlier answer. Thoughts that are signed are kept as they are, for whoever signed them."""
    calls = [_read_call(block) for block in blocks if block["type"] == "tool_use"]
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    thoughts = [block for block in blocks if block["type"] in _THOUGHTS]
    others = {block["type"] for block in blocks} - {"tool_use", "text", *_THOUGHTS}
    if others:
        raise ValueError(f"a block of type {min(others)!r}, which is not supported here")
    is_signed = bool(thoughts) and all(map(_is_signed, thoughts))
    message = Message(
        role=Role.ASSISTANT,
        content="".join(texts) or (None if calls else ""),
        tool_calls=calls or None,
        reasoning_content="".join(block.get("thinking", "") for block in thoughts) or None,
        content_blocks=blocks if is_signed else None,
    )
    return [message]


def _is_signed(block: dict[str, Any]) -> bool:
    return bool(block.get("signature") or block.get("data"))


def _read_call(block: dict[str, Any]) -> ToolCall:
    arguments = block.get("input")
    call = FunctionCall.model_validate({"name": block["name"], "arguments": arguments})
    return ToolCall(id=block["id"], function=call)


_READERS: dict[str, Callable[[Blocks], list[Message]]] = {
    "user": _read_user,
    "assistant": _read_assistant,
    "system": _read_system,
}
