"""What the items of an answer of OpenAI's Responses API say.

https://platform.openai.com/docs/api-reference/responses/object#responses/object-output
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from oumi.backends.openai_reply import read_arguments, read_content, read_id
from oumi.backends.remote.dialects.message_blocks import BlockSummary
from oumi.core.types.tool_call import FunctionCall, ToolCall

_NOT_PLAIN = ("phase", "namespace", "caller", "annotations")
"""Fields of items and their parts that only the items as they came can keep."""
_BETWEEN = "\n\n"
"""Between two parts of reasoning, each of which is a paragraph or more."""

Item = Mapping[str, Any]


def read_items(output: Any) -> list[dict[str, Any]]:
    """The items of an answer. Raises TypeError for what is none."""
    items = output if isinstance(output, list) else [output] if output else []
    return [_read_item(item) for item in items]


def text_of_items(items: Iterable[Item]) -> str:
    """The text of all messages, refusals included. Raises ValueError for a part without text."""
    return "".join(read_content(item.get("content"))[0] for item in items if _is_message(item))


def is_refusal(items: Iterable[Item]) -> bool:
    """Whether the model says nothing but that it refuses to answer."""
    parts = [part for item in items for part in parts_of(item) if part.get("text") is not None]
    refused = any(part.get("refusal") for item in items for part in parts_of(item))
    return refused and not any(part["text"] for part in parts)


def reasoning_of_items(items: Iterable[Item]) -> str:
    """The reasoning: whole where a model shows it, otherwise its summary."""
    thoughts = (item for item in items if item.get("type") == "reasoning")
    return join_reasoning(text for item in thoughts for text in _thoughts(item))


def join_reasoning(parts: Iterable[str]) -> str:
    """The parts of reasoning as one text."""
    return _BETWEEN.join(filter(None, parts))


def calls_of_items(items: Iterable[Item]) -> list[ToolCall]:
    """The calls of functions. Raises LookupError, TypeError or ValueError for a broken one."""
    calls = (item for item in items if item.get("type") == "function_call")
    return [_read_call(item, number) for number, item in enumerate(calls)]


def logprobs_of_items(items: Iterable[Item]) -> dict[str, Any] | None:
    """The log-probabilities in the form of the chat API; None where there are none."""
    found = [part.get("logprobs") for item in items for part in parts_of(item)]
    content = [entry for part in found if isinstance(part, list) for entry in part]
    return {"content": content} if content else None


def is_plain(item: Item) -> bool:
    """Whether a message's text, calls and reasoning hold all of the item that is of use."""
    if item.get("type") == "reasoning":
        return not can_be_sent(item)
    if not (_is_message(item) or item.get("type") == "function_call"):
        return False
    return not any(part.get(name) for part in (item, *parts_of(item)) for name in _NOT_PLAIN)


def can_be_sent(item: Item) -> bool:
    """Whether an item says all that the API needs, which stores none: of reasoning that is neither
    encrypted nor shown, only an id is left, and it would be refused.
    """
    if item.get("type") != "reasoning":
        return True
    return bool(item.get("encrypted_content") or item.get("content"))


def summarize(items: list[dict[str, Any]]) -> BlockSummary | None:
    """The text and the calls in an answer's items; None for what another API returned."""
    if not any(item.get("type") in ("message", "reasoning", "function_call") for item in items):
        return None
    calls = (item.get("call_id", "") for item in items if item.get("type") == "function_call")
    return BlockSummary(text_of_items(items), tuple(calls))


def parts_of(item: Item) -> list[dict[str, Any]]:
    """The parts of an item's content."""
    content = item.get("content")
    return [p for p in content if isinstance(p, dict)] if isinstance(content, list) else []


def _read_item(item: Any) -> dict[str, Any]:
    if isinstance(item, str):
        return {"type": "message", "content": item}
    if not isinstance(item, dict):
        raise TypeError(f"an item that is no object: {item!r:.100}")
    return item


def _is_message(item: Item) -> bool:
    return item.get("type") == "message" or ("type" not in item and "content" in item)


def _thoughts(item: Item) -> list[str]:
    shown = [part.get("text") for part in parts_of(item)]
    summary = item.get("summary")
    parts = (
        [part for part in summary if isinstance(part, dict)] if isinstance(summary, list) else []
    )
    texts = shown if any(shown) else [part.get("text") for part in parts]
    return [text for text in texts if isinstance(text, str)]


def _read_call(item: Item, number: int) -> ToolCall:
    name, arguments = item["name"], read_arguments(item.get("arguments")) or "{}"
    if not name:
        raise ValueError("a tool call without a name")
    call_id = read_id(item.get("call_id") or item.get("id"), number, name, arguments)
    return ToolCall(id=call_id, function=FunctionCall(name=name, arguments=arguments))
