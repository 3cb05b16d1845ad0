"""Whether what an API gave with an answer can be recorded, and read again."""

from __future__ import annotations

from typing import Any

from oumi.core.types.conversation import Message

_MOST_NESTED = 150
"""JSON is read to a depth of 200, and an answer stands a few levels deep in a line."""


def check_recordable(message: Message) -> None:
    """Raise ValueError for an answer that could be recorded, but not read again.

    Only what is kept as it came can be nested too deeply for that.
    """
    extras = (call.extra_content for call in message.tool_calls or ())
    for value in (message.content_blocks, message.reasoning_details, *extras):
        if value is not None and not _is_within(value, _MOST_NESTED):
            raise ValueError("it is nested too deeply")


def _is_within(value: Any, depth: int) -> bool:
    """Whether a value is nested at most so deeply."""
    if isinstance(value, dict):
        return depth > 0 and all(_is_within(part, depth - 1) for part in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_within(part, depth - 1) for part in value)
    return True
