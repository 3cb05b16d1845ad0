"""Conversations as the items that are the input of OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses/create#responses_create-input
"""

from __future__ import annotations

from typing import Any

from oumi.backends.media.images import read_image
from oumi.backends.media.pdf import read_pdf
from oumi.backends.messages import sent_messages
from oumi.backends.remote.dialects.message_blocks import further_fields, kept_blocks
from oumi.backends.remote.dialects.responses_output import can_be_sent, summarize
from oumi.core.types.conversation import ContentItem, Conversation, Message, Role, Type
from oumi.core.types.tool_call import ToolCall, ToolDefinition
from oumi.errors import UnsupportedError

_NO_PARAMETERS = {"type": "object", "properties": {}}


def encode_input(conversation: Conversation) -> list[dict[str, Any]]:
    """The items. Raises InputError for an image of no known kind, UnsupportedError for what the
    API does not take.
    """
    messages = sent_messages(conversation, developer=True)
    return [item for message in messages for item in _encode_message(message)]


def encode_tool(tool: ToolDefinition) -> dict[str, Any]:
    """A function. The API would take one that says nothing of `strict` for a strict one."""
    function = tool.function
    encoded: dict[str, Any] = {
        "type": "function",
        "name": function.name,
        "parameters": function.parameters or _NO_PARAMETERS,
        "strict": bool(function.strict),
    }
    if function.description:
        encoded["description"] = function.description
    return encoded | further_fields(tool)


def _encode_message(message: Message) -> list[dict[str, Any]]:
    if message.role == Role.TOOL:
        result = {"type": "function_call_output", "call_id": message.tool_call_id}
        return [{**result, "output": _content(message)}]
    if message.name is not None:
        raise UnsupportedError(
            f"this API has no names of speakers: write {message.name!r} into the text"
        )
    if message.role == Role.ASSISTANT:
        return _kept_items(message) or _answer_items(message)
    return [{"role": message.role, "content": _content(message)}]


def _kept_items(message: Message) -> list[dict[str, Any]] | None:
    """The items of an earlier answer, as they came; None where they cannot be sent back.

    Fields of null, as some servers send them, are refused in a request.
    """
    items = kept_blocks(message, summarize)
    if items is None or not all(map(can_be_sent, items)):
        return None
    return [{k: v for k, v in item.items() if v is not None} for item in items]


def _answer_items(message: Message) -> list[dict[str, Any]]:
    """An earlier answer, of any model. The API takes bare text of an assistant only."""
    if message.contains_media():
        raise UnsupportedError(
            "this API takes no images in a message of the assistant, and no other media"
        )
    calls = [_encode_call(call) for call in message.tool_calls or ()]
    text = message.compute_flattened_text_content("")
    return [{"role": "assistant", "content": text}, *calls] if text or not calls else calls


def _encode_call(call: ToolCall) -> dict[str, Any]:
    function = call.function
    return {
        "type": "function_call",
        "call_id": call.id,
        "name": function.name,
        "arguments": function.arguments,
    }


def _content(message: Message) -> str | list[dict[str, Any]]:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    return [_encode_item(item) for item in message.content]


def _encode_item(item: ContentItem) -> dict[str, Any]:
    if item.type == Type.TEXT:
        return {"type": "input_text", "text": item.content}
    if item.type.kind == "audio":
        raise UnsupportedError("this API takes no audio: set remote_params.api to chat")
    if item.type.kind == "pdf":
        pdf = read_pdf(item)
        return {"type": "input_file", "filename": pdf.name, "file_data": pdf.url}
    url = item.content if item.type == Type.IMAGE_URL else read_image(item).url
    return {"type": "input_image", "image_url": url, "detail": item.detail or "auto"}
