"""Conversations as the JSON of OpenAI's chat completions API, which most engines speak.

Fields: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from typing import Any

from oumi.backends.media.images import read_image
from oumi.core.types.conversation import ContentItem, Conversation, Message, Type
from oumi.errors import RequestError


def encode_messages(conversation: Conversation) -> list[dict[str, Any]]:
    """The `messages` of a request. Raises InputError for an image of no known kind."""
    return [_encode_message(message) for message in conversation.messages]


def encode_messages_for_template(conversation: Conversation) -> list[dict[str, Any]]:
    """The same with texts in one string, unless there are images: runtimes that are given a list of
    texts differ in how they join them. Raises as `encode_messages` does.
    """
    messages = encode_messages(conversation)
    for message in messages:
        parts = message["content"]
        if isinstance(parts, list) and all(part["type"] == "text" for part in parts):
            message["content"] = "".join(part["text"] for part in parts)
    return messages


def encode_tools(conversation: Conversation) -> list[dict[str, Any]]:
    """The `tools` of a request."""
    return [tool.model_dump(mode="json", exclude_none=True) for tool in conversation.tools or ()]


def check_tools_are_optional(tool_choice: Any) -> None:
    """Raise RequestError for a `tool_choice` that forces a call in a row without tools."""
    if tool_choice not in (None, "auto", "none"):
        raise RequestError(f"tool_choice is {tool_choice!r}, but the row has no tools")


def _encode_message(message: Message) -> dict[str, Any]:
    encoded: dict[str, Any] = {"role": message.role, "content": message.content}
    if isinstance(message.content, list):
        encoded["content"] = [_encode_item(item) for item in message.content]
    if message.name is not None:
        encoded["name"] = message.name
    if message.tool_calls:
        encoded["tool_calls"] = [
            call.model_dump(mode="json", exclude_none=True) for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        encoded["tool_call_id"] = message.tool_call_id
    return encoded


def _encode_item(item: ContentItem) -> dict[str, Any]:
    if item.type == Type.TEXT:
        return {"type": "text", "text": item.content}
    url = item.content if item.type == Type.IMAGE_URL else read_image(item).url
    return {"type": "image_url", "image_url": {"url": url}}
