"""What of a conversation shapes its answer."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from oumi.core.json_text import write_json

if TYPE_CHECKING:
    from oumi.core.types.conversation import Conversation, Message


def shaping_text(conversation: Conversation) -> bytes:
    """Messages and tools as JSON text, without what no model is sent. Raises ValueError for what
    cannot be written as JSON.
    """
    text = write_json([_message_parts(message) for message in conversation.messages])
    if not conversation.tools:
        return text
    tools = [tool.model_dump(mode="json") for tool in conversation.tools]
    return text + write_json(tools, sort_keys=True)


_plain_parts = itemgetter("role", "content", "name", "tool_call_id", "reasoning_content")


def _message_parts(message: Message) -> Any:
    fields = message.__dict__  # attributes of pydantic's models take ten times as long
    is_text = isinstance(fields["content"], str)
    if is_text and not (fields["tool_calls"] or fields["content_blocks"]):
        return _plain_parts(fields)
    parts = message.model_dump(mode="json", exclude={"id", "cache_control"})
    # Keys of earlier versions are made without the fields that these did not have.
    if message.reasoning_details is None:
        del parts["reasoning_details"]
    if isinstance(message.content, list):
        parts["content"] = [_only(item, _ITEM, _LATER_ITEM) for item in parts["content"]]
    for call in parts["tool_calls"] or ():
        call["function"] = _only(call["function"], _FUNCTION)
    if parts["tool_calls"]:
        parts["tool_calls"] = [_only(call, _CALL) for call in parts["tool_calls"]]
    return parts


_ITEM, _LATER_ITEM = ("type", "content", "binary"), ("detail", "format", "filename")
_CALL, _FUNCTION = ("id", "type", "function", "extra_content"), ("name", "arguments")


def _only(
    value: dict[str, Any], names: tuple[str, ...], later: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The fields that are sent to a model; of those of later versions, what is set."""
    fields = {name: value[name] for name in names}
    return fields | {name: value[name] for name in later if value[name] is not None}
