"""Conversations: the messages sent to a model and its answers, one JSON object per conversation."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple, Self, TypeVar, overload

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    field_serializer,
    field_validator,
    model_validator,
)

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.tool_call import ToolCall, ToolDefinition

ValueT = TypeVar("ValueT")


class Role(StrEnum):
    """The author of a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Type(StrEnum):
    """The kind of a content item."""

    TEXT = "text"
    IMAGE_PATH = "image_path"
    IMAGE_URL = "image_url"
    IMAGE_BINARY = "image_binary"


class FinishReason(StrEnum):
    """Why the model stopped generating."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"
    UNKNOWN = "unknown"


class ContentItemCounts(NamedTuple):
    """Number of content items in a message, by kind."""

    total_items: int
    text_items: int
    image_items: int


class ContentItem(BaseModel):
    """One item of a message's content: text, or an image given by path, URL or bytes.

    `content` is the text, path or URL; `binary` the bytes of an image (base64 in JSON). Parts in
    the format of the OpenAI API (`{"type": "image_url", "image_url": {"url": …}}`) are accepted
    as well.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Type
    content: str | None = None
    binary: bytes | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_openai_part(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        if value.get("type") == "text" and "text" in value:
            return {"type": "text", "content": value["text"]}
        if value.get("type") == "image_url" and isinstance(value.get("image_url"), dict):
            return {"type": "image_url", "content": value["image_url"].get("url")}
        return value

    @field_validator("binary", mode="before")
    @classmethod
    def _decode_binary(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ValueError(f"not base64: {error}") from error

    @field_serializer("binary")
    def _encode_binary(self, value: bytes | None) -> str | None:
        return None if value is None else base64.b64encode(value).decode()

    @model_validator(mode="after")
    def _check_payload(self) -> Self:
        if self.type == Type.IMAGE_BINARY:
            if not self.binary:
                raise ValueError("an image_binary item needs bytes in `binary`")
        elif self.content is None:
            raise ValueError(f"an item of type {self.type} needs `content`")
        return self

    def is_image(self) -> bool:
        """Whether this is an image, given by path, URL or bytes."""
        return self.type != Type.TEXT

    def is_text(self) -> bool:
        """Whether this is text."""
        return self.type == Type.TEXT


class Message(BaseModel):
    """One message. `content` is None only for a message that consists of tool calls.

    Unknown fields are kept and written out again, but not sent to a model.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str | None = None
    content: str | list[ContentItem] | None = None
    role: Role
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    """The parts of the reasoning as the API returned them, such as signed or encrypted ones."""
    content_blocks: list[dict[str, Any]] | None = None
    """The answer's content blocks as the API returned them, if there are others than text and
    tool calls, such as signed thoughts. They are sent back unchanged with the conversation, as
    long as `content` and `tool_calls` still agree with them."""
    cache_control: dict[str, Any] | None = None
    """`{"type": "ephemeral"}`: the prompt may be cached up to this message, by APIs that leave it
    to the caller (https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching)."""

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        if self.content is None and not self.tool_calls:
            raise ValueError("a message needs `content` (or `tool_calls`)")
        if self.role == Role.TOOL and not self.tool_call_id:
            raise ValueError("a tool message needs `tool_call_id`")
        return self

    @property
    def content_items(self) -> list[ContentItem]:
        """The content as a list of items, also if it was given as a string."""
        if self.content is None:
            return []
        if isinstance(self.content, str):
            return [ContentItem(type=Type.TEXT, content=self.content)]
        return self.content

    @property
    def image_content_items(self) -> list[ContentItem]:
        """The images of the message."""
        return [item for item in self.content_items if item.is_image()]

    @property
    def text_content_items(self) -> list[ContentItem]:
        """The texts of the message."""
        return [item for item in self.content_items if item.is_text()]

    def compute_flattened_text_content(self, separator: str = " ") -> str:
        """All text items of the message, joined by `separator`."""
        return separator.join(item.content or "" for item in self.text_content_items)

    def count_content_items(self) -> ContentItemCounts:
        """Number of content items, by kind."""
        images = len(self.image_content_items)
        total = len(self.content_items)
        return ContentItemCounts(total, total - images, images)

    def contains_images(self) -> bool:
        """Whether any item is an image."""
        return isinstance(self.content, list) and any(item.is_image() for item in self.content)

    def contains_text(self) -> bool:
        """Whether any item is text."""
        return any(item.is_text() for item in self.content_items)


class Conversation(BaseModel):
    """Messages in order, with an id, tools, and metadata of any kind.

    Unknown fields are kept and written out again.
    """

    model_config = ConfigDict(extra="allow")

    conversation_id: str | None = None
    messages: list[Message]
    metadata: dict[str, Any] = Field(default_factory=dict)
    tools: list[ToolDefinition] | None = None

    def __getitem__(self, index: int) -> Message:
        return self.messages[index]

    def filter_messages(self, role: Role | None = None) -> list[Message]:
        """The messages of one role, or all."""
        return [m for m in self.messages if role is None or m.role == role]

    def first_message(self, role: Role | None = None) -> Message | None:
        """The first message (of a role), or None."""
        return next(iter(self.filter_messages(role)), None)

    def last_message(self, role: Role | None = None) -> Message | None:
        """The last message (of a role), or None."""
        return next(iter(reversed(self.filter_messages(role))), None)

    @overload
    def parsed(self) -> Any: ...
    @overload
    def parsed(self, form: type[ValueT]) -> ValueT: ...
    def parsed(self, form: Any = None) -> Any:
        """The JSON value of the last assistant message, as it is or as an instance of `form`.

        `form` is a Pydantic model, a dataclass, a TypedDict or any other type that Pydantic
        accepts. Raises ValueError if the text is not JSON, and pydantic.ValidationError, which is
        a ValueError too, if the value is not a valid `form`.
        """
        text = _answer_text(self.last_message(Role.ASSISTANT))
        try:
            value = parse_json(text)
        except ValueError as error:
            raise ValueError(f"the answer is not JSON: {error}: {text!r:.200}") from None
        return value if form is None else TypeAdapter(form).validate_json(text)

    def with_reply(self, message: Message, **metadata: Any) -> Conversation:
        """A copy with `message` appended and `metadata` added. This conversation is not changed."""
        return self.model_copy(
            update={
                "messages": [*self.messages, message],
                "metadata": {**self.metadata, **metadata},
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, unset fields left out."""
        return self.model_dump(mode="json", exclude_none=True)

    def to_json(self) -> str:
        """As one line of JSON."""
        try:
            return self.model_dump_json(exclude_none=True)
        except ValueError:  # text that is not Unicode
            return write_json(self.to_dict()).decode()

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Conversation:
        """The reverse of `to_dict`."""
        return cls.model_validate(data)

    @classmethod
    def from_json(cls, data: str | bytes) -> Conversation:
        """The reverse of `to_json`. Raises pydantic.ValidationError for any other text."""
        return cls.model_validate_json(data)

    def __iter__(self) -> Iterator[Message]:  # type: ignore[override]
        return iter(self.messages)


def _answer_text(message: Message | None) -> str:
    if message is None:
        raise ValueError("the conversation has no answer")
    if message.content is None:
        raise ValueError("the answer has no content, it only calls tools")
    return message.compute_flattened_text_content("")
