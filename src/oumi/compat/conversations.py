"""The upstream library's functions that take conversations apart, for code that calls them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from oumi.backends.media import web
from oumi.backends.media.images import read_image
from oumi.backends.openai_chat import encode_messages
from oumi.core.configs.inference_config import MAX_MEDIA_BYTES
from oumi.core.types.conversation import ContentItem, Conversation, Message, Role, Type
from oumi.core.types.tool_call import FunctionCall
from oumi.errors import InputError
from oumi.runner import loop

JsonDict = dict[str, Any]


def create_list_of_message_json_dicts(
    messages: Sequence[Message], *, group_adjacent_same_role_turns: bool
) -> list[JsonDict]:
    """Messages as dicts in the form of OpenAI's chat API, images as data URLs.

    If asked to, neighbours of one role become one message with all their parts, unless they call
    tools or answer a call.
    """
    loaded = [_with_media(message) for message in messages]
    if not group_adjacent_same_role_turns:
        return encode_messages(Conversation(messages=loaded))
    grouped: list[JsonDict] = []
    for (role, is_plain), group in groupby(loaded, lambda m: (m.role, _is_plain(m))):
        dicts = encode_messages(Conversation(messages=list(group)))
        if is_plain and len(dicts) > 1:
            parts = [part for message in dicts for part in _parts(message["content"])]
            dicts = [{"role": role.value, "content": parts}]
        grouped += dicts
    return grouped


def create_chat_template_inputs(
    conversation: Conversation,
    *,
    tool_arguments_format: Literal["mapping", "string"],
    content_format: Literal["null", "empty"],
) -> tuple[list[JsonDict], list[JsonDict] | None]:
    """Messages and tools for a tokenizer's `apply_chat_template`.

    Arguments of calls are dicts (`mapping`) or JSON text; the content of a message that only calls
    tools is None (`null`) or an empty text. Raises ValueError for arguments that are no object.
    """
    data = conversation.to_dict()
    messages: list[JsonDict] = data["messages"]
    for at, message in enumerate(messages):
        calls = message.get("tool_calls") or ()
        if calls and content_format == "empty" and message.get("content") is None:
            message["content"] = ""
        for call in calls:
            call.setdefault("type", "function")
            if tool_arguments_format == "mapping":
                call["function"]["arguments"] = _arguments(call["function"], at)
    for tool in data.get("tools") or ():
        tool.setdefault("type", "function")
    return messages, data.get("tools")


def convert_message_to_json_content(message: Message) -> str | list[JsonDict]:
    """The content of a message: its text, or the parts of OpenAI's chat API."""
    if isinstance(message.content, list):
        return convert_content_items_to_json_list(message.content)
    return message.content or ""


def convert_message_to_json_content_list(message: Message) -> list[JsonDict]:
    """The content of a message as parts of OpenAI's chat API, a text alone as well."""
    return convert_content_items_to_json_list(message.content_items)


def convert_content_items_to_json_list(content_items: Sequence[ContentItem]) -> list[JsonDict]:
    """Items as parts of OpenAI's chat API."""
    return [convert_message_content_item_to_json_dict(item) for item in content_items]


def convert_message_content_item_to_json_dict(item: ContentItem) -> JsonDict:
    """An item as a part of OpenAI's chat API. A file is read; an address stays one."""
    message = _with_media(Message(role=Role.USER, content=[item]))
    [encoded] = encode_messages(Conversation(messages=[message]))
    part: JsonDict = encoded["content"][0]
    return part


def base64encode_content_item_image_bytes(
    item: ContentItem, *, add_mime_prefix: bool = True
) -> str:
    """The bytes of an image in base64, as a data URL unless told otherwise.

    Raises ValueError for what is no image, or has no bytes.
    """
    if not item.is_image() or not item.binary:
        raise ValueError(f"expected an image with its bytes, found {item!r}")
    image = read_image(ContentItem(type=Type.IMAGE_BINARY, binary=item.binary))
    return image.url if add_mime_prefix else image.base64


def load_image_bytes_to_content_item(item: ContentItem) -> ContentItem:
    """The item with the bytes of its image, from a file or from the web; others as they are.

    Raises InputError for what cannot be loaded.
    """
    if item.type == Type.IMAGE_PATH:
        return ContentItem(type=Type.IMAGE_BINARY, binary=_read(item.content))
    if item.type == Type.IMAGE_URL:
        data = loop.call(web.load(item.content or "", (), MAX_MEDIA_BYTES))
        return ContentItem(type=Type.IMAGE_BINARY, binary=data)
    return item


def remove_excessive_images(messages: Sequence[Message], *, max_images: int) -> list[Message]:
    """The messages with their first images only; with all of them where the number is negative."""
    left = max_images
    kept: list[Message] = []
    for message in messages:
        count = message.count_content_items().image_items
        is_whole = max_images < 0 or count <= left
        kept.append(message if is_whole else _with_images(message, max(left, 0)))
        left -= count
    return kept


def remove_excessive_images_from_conversation(
    conversation: Conversation, *, max_images: int
) -> Conversation:
    """The conversation with its first images only; with all where the number is negative."""
    messages = remove_excessive_images(conversation.messages, max_images=max_images)
    return conversation.model_copy(update={"messages": messages})


def _with_images(message: Message, count: int) -> Message:
    items: list[ContentItem] = []
    for item in message.content_items:
        count -= item.is_image()
        if not item.is_image() or count >= 0:
            items.append(item)
    is_text = len(items) == 1 and items[0].is_text()
    return message.model_copy(update={"content": items[0].content if is_text else items})


def _with_media(message: Message) -> Message:
    """The message with the bytes of images that lie in files."""
    if not isinstance(message.content, list):
        return message
    items = [
        load_image_bytes_to_content_item(item)
        if item.type == Type.IMAGE_PATH and not item.binary
        else item
        for item in message.content
    ]
    return message.model_copy(update={"content": items})


def _read(path: str | None) -> bytes:
    try:
        return Path((path or "").removeprefix("file://")).expanduser().read_bytes()
    except OSError as error:
        raise InputError(f"{path}: it cannot be read: {error.strerror}") from error


def _arguments(function: JsonDict, at: int) -> JsonDict:
    try:
        return FunctionCall.model_validate(function).get_arguments_dict()
    except ValueError as error:
        raise ValueError(f"message {at}: {error}") from error


def _is_plain(message: Message) -> bool:
    return not (message.tool_calls or message.tool_call_id)


def _parts(content: str | list[JsonDict]) -> list[JsonDict]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
