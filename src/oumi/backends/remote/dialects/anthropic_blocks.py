"""Messages and tools in the form of Anthropic's messages API: turns that consist of blocks.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from typing import Any

from oumi.backends.media.images import image_url, read_image
from oumi.backends.media.pdf import MEDIA_TYPE, read_pdf
from oumi.backends.remote.dialects import message_blocks
from oumi.backends.remote.dialects.message_blocks import BlockSummary
from oumi.core.types.conversation import ContentItem, Message, Role, Type
from oumi.core.types.tool_call import ToolDefinition

_NO_PARAMETERS = {"type": "object", "properties": {}}


def encode_system(messages: list[Message]) -> dict[str, Any]:
    """The system prompt: text, or blocks for several messages or one with `cache_control`."""
    message_blocks.check_system(messages)
    if len(messages) == 1 and isinstance(messages[0].content, str):
        return {"system": _with_cache_control(messages[0], messages[0].content)}
    blocks = [
        block for message in messages for block in _with_cache_control(message, _blocks(message))
    ]
    return {"system": blocks} if blocks else {}


def encode_turn(turn: list[Message], model_name: str) -> dict[str, Any]:
    """A message, or results of tools that follow each other. Raises UnsupportedError."""
    for message in turn:
        message_blocks.check_message(message, model_name)
    first = turn[0]
    if first.role == Role.TOOL:
        return {"role": "user", "content": [_encode_result(message) for message in turn]}
    if first.role == Role.ASSISTANT:
        blocks = message_blocks.kept_blocks(first, summarize) or _answer_blocks(first)
        return {"role": "assistant", "content": _with_cache_control(first, blocks)}
    if first.role == Role.SYSTEM:
        message_blocks.check_system(turn)
    content = first.content if isinstance(first.content, str) else _blocks(first)
    return {"role": first.role, "content": _with_cache_control(first, content)}


def _encode_result(message: Message) -> dict[str, Any]:
    content = message.content if isinstance(message.content, str) else _blocks(message)
    block = {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": content}
    return block | ({"cache_control": message.cache_control} if message.cache_control else {})


def _answer_blocks(message: Message) -> str | list[dict[str, Any]]:
    if isinstance(message.content, str) and not message.tool_calls:
        return message.content
    calls = [
        {
            "type": "tool_use",
            "id": call.id,
            "name": call.function.name,
            "input": message_blocks.read_arguments(call),
        }
        for call in message.tool_calls or ()
    ]
    return [*_blocks(message), *calls]


def _blocks(message: Message) -> list[dict[str, Any]]:
    """The content as blocks; empty texts, which the API refuses, are left out."""
    items = message.content_items
    return [_encode_item(item) for item in items if item.content or not item.is_text()]


def _encode_item(item: ContentItem) -> dict[str, Any]:
    block = _encode_content(item)
    return block | ({"cache_control": item.cache_control} if item.cache_control else {})


def _encode_content(item: ContentItem) -> dict[str, Any]:
    if item.type == Type.TEXT:
        return {"type": "text", "text": item.content}
    if item.type.kind == "pdf":
        return _encode_pdf(item)
    url = image_url(item)
    if url is not None:
        return {"type": "image", "source": {"type": "url", "url": url}}
    image = read_image(item)
    source = {"type": "base64", "media_type": image.media_type, "data": image.base64}
    return {"type": "image", "source": source}


def _encode_pdf(item: ContentItem) -> dict[str, Any]:
    pdf = read_pdf(item)
    source = {"type": "base64", "media_type": MEDIA_TYPE, "data": pdf.base64}
    title = {"title": item.filename} if item.filename else {}
    return {"type": "document", "source": source, **title}


def _with_cache_control(message: Message, content: Any) -> Any:
    """The content with the `cache_control` of its message on its last block."""
    if message.cache_control is None or not content:
        return content
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [*blocks[:-1], {**blocks[-1], "cache_control": message.cache_control}]


def encode_tool(tool: ToolDefinition) -> dict[str, Any]:
    """A tool; further fields of its definition, such as `cache_control`, are sent as they are."""
    function = tool.function
    encoded: dict[str, Any] = {
        "name": function.name,
        "input_schema": function.parameters or _NO_PARAMETERS,
    }
    if function.description:
        encoded["description"] = function.description
    if function.strict is not None:
        encoded["strict"] = function.strict
    return encoded | message_blocks.further_fields(tool)


def summarize(blocks: list[dict[str, Any]]) -> BlockSummary | None:
    """The text and the calls in an answer's blocks; None for blocks of another API."""
    if not all("type" in block for block in blocks):
        return None
    text = "".join(block.get("text", "") for block in blocks if block["type"] == "text")
    calls = (block.get("id", "") for block in blocks if block["type"] == "tool_use")
    return BlockSummary(text, tuple(calls))
