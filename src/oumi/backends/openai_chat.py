"""Conversations as the JSON of OpenAI's chat completions API, which most engines speak.

Fields: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from typing import Any

from oumi.backends.media.audio import read_audio
from oumi.backends.media.images import read_image
from oumi.backends.media.pdf import read_pdf
from oumi.backends.messages import sent_messages
from oumi.backends.provider import PdfPart, Provider
from oumi.core.types.conversation import ContentItem, Conversation, Message, Type
from oumi.core.types.tool_call import ToolCall
from oumi.errors import RequestError


def encode_messages(
    conversation: Conversation, provider: Provider | None = None
) -> list[dict[str, Any]]:
    """The `messages` of a request, as the provider takes them; None for one on this machine.

    Raises InputError for an image of no known kind, RequestError for results of unknown calls.
    """
    developer = provider is not None and provider.supports_developer
    messages = sent_messages(conversation, developer=developer)
    return [_encode_message(message, provider) for message in messages]


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


def _encode_message(message: Message, provider: Provider | None) -> dict[str, Any]:
    fields = message.__dict__  # attributes of pydantic's models take ten times as long
    content = fields["content"]
    encoded: dict[str, Any] = {"role": fields["role"], "content": content}
    if isinstance(content, list):
        encoded["content"] = [_encode_item(item, provider) for item in content]
    if fields["cache_control"] is not None:
        encoded["content"] = _with_cache_control(message, encoded["content"], provider)
    if fields["name"] is not None:
        encoded["name"] = fields["name"]
    if fields["tool_calls"]:
        encoded["tool_calls"] = [_encode_call(call) for call in fields["tool_calls"]]
    if fields["tool_call_id"] is not None:
        encoded["tool_call_id"] = fields["tool_call_id"]
    return encoded


def _encode_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.function.name, "arguments": call.function.arguments}
    encoded = {"id": call.id, "type": call.type.value, "function": function}
    return encoded | ({"extra_content": call.extra_content} if call.extra_content else {})


def _encode_item(item: ContentItem, provider: Provider | None) -> dict[str, Any]:
    part = _encode_content(item, provider)
    if item.cache_control is not None and provider and provider.supports_cache_control:
        part["cache_control"] = item.cache_control
    return part


def _encode_content(item: ContentItem, provider: Provider | None) -> dict[str, Any]:
    match item.type.kind:
        case "text":
            return {"type": "text", "text": item.content}
        case "image":
            url = item.content if item.type == Type.IMAGE_URL else read_image(item).url
            detail = {} if item.detail is None else {"detail": item.detail}
            return {"type": "image_url", "image_url": {"url": url, **detail}}
        case "audio":
            audio = read_audio(item)
            data = {"data": audio.base64, "format": audio.kind}
            return {"type": "input_audio", "input_audio": data}
    return _encode_pdf(item, provider)


def _encode_pdf(item: ContentItem, provider: Provider | None) -> dict[str, Any]:
    pdf = read_pdf(item)
    if provider is not None and provider.pdf_part is PdfPart.IMAGE_URL:
        return {"type": "image_url", "image_url": {"url": pdf.url}}
    return {"type": "file", "file": {"filename": pdf.name, "file_data": pdf.url}}


def _with_cache_control(message: Message, content: Any, provider: Provider | None) -> Any:
    """The content with the `cache_control` of its message on its last part."""
    if not content or provider is None or not provider.supports_cache_control:
        return content
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return [*parts[:-1], {**parts[-1], "cache_control": message.cache_control}]
