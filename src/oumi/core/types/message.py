"""Messages: who says what, and which tools an answer calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from oumi.core.types.content_item import ContentItem, ContentItemCounts, Type, shorten
from oumi.core.types.field_types import Id, JsonObject, JsonText
from oumi.core.types.tool_call import ToolCall
from oumi.core.types.unvalidated import make_valid


class Role(StrEnum):
    """The author of a message. Text in capitals is taken too."""

    SYSTEM = "system"
    DEVELOPER = "developer"
    """The system, by the name that OpenAI's newer models have for it. Sent as `system` where that
    is not known."""
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"

    @classmethod
    def _missing_(cls, value: object) -> Role | None:
        if isinstance(value, str) and value != value.lower():
            return cls(value.lower())
        return None


class FinishReason(StrEnum):
    """Why the model stopped generating."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    ERROR = "error"
    UNKNOWN = "unknown"


if TYPE_CHECKING:
    Content = str | list[ContentItem] | None
else:
    Content = str | list[ContentItem] | JsonObject | None


_OF_PLAIN_MESSAGES = {"role", "content"}


class Message(BaseModel):
    """One message.

    `content` is None only for a message that consists of tool calls; `null` in an answer without
    any is an empty text. The result of a tool may be an object, which becomes JSON text. Unknown
    fields are kept and written out again, but not sent to a model.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    if TYPE_CHECKING:
        # A role may be named by text, and content items may be dicts.
        def __init__(
            self,
            *,
            role: Role | str,
            content: str | Sequence[ContentItem | Mapping[str, Any]] | None = None,
            **fields: Any,
        ) -> None: ...

    id: Id | None = None
    content: Content = None
    role: Role
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: Id | None = None
    """The call that the result of a tool belongs to. It may be left out where only one call has no
    result yet."""
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

    @classmethod
    def of_answer(cls, content: str) -> Self:
        """An assistant's message of nothing but this text, made without its validation."""
        fields = {**_OF_ANSWERS, "content": content}
        return make_valid(cls, fields, {"content", "role"})

    @model_validator(mode="after")
    def _check_content(self) -> Self:
        content = self.content
        if content is None:
            if not self.tool_calls:
                self.__dict__["content"] = self._text_of_nothing()
        elif isinstance(content, JsonText):
            if self.role is not Role.TOOL:
                raise ValueError("`content` is an object, which only a tool's message may hold")
            self.__dict__["content"] = str(content)
        return self

    def _text_of_nothing(self) -> str:
        """The content of an answer without any: empty, or what the model said to refuse one."""
        extra = self.__pydantic_extra__ or {}
        if extra.get("function_call"):
            raise ValueError("`function_call` is given up by its API: use `tool_calls`")
        is_answer = self.role is Role.ASSISTANT and self.tool_calls is None
        if not is_answer or "content" not in self.model_fields_set:
            raise ValueError(
                "a message needs at least one of `content` and a non-empty list `tool_calls`"
            )
        return str(extra.get("refusal") or "")

    @cached_property
    def usage(self) -> Mapping[str, int] | None:
        """The tokens of the request that this message answers, as `Usage.to_dict` has them.

        Only an answer of an engine knows them. They are no field: they are neither compared, nor
        sent, nor part of a row's key, nor written. The metadata of the conversation has them too,
        and gives them back to an answer that is read from there.
        """
        return (self.__pydantic_extra__ or {}).get("usage")

    def with_usage(self, usage: Mapping[str, int]) -> Self:
        """A copy with these as its `usage`."""
        message = self.model_copy()
        message.__dict__["usage"] = dict(usage)
        return message

    def get(self, name: str, default: Any = None) -> Any:
        """A field by its name, also an unknown one that was kept, as chat templates ask for it."""
        if name in type(self).model_fields:
            return getattr(self, name)
        return (self.__pydantic_extra__ or {}).get(name, default)

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
        if isinstance(self.content, str):
            return self.content
        return separator.join(item.content or "" for item in self.text_content_items)

    def count_content_items(self) -> ContentItemCounts:
        """Number of content items, by kind."""
        items = self.content_items
        texts = sum(item.is_text() for item in items)
        return ContentItemCounts(len(items), texts, sum(item.is_image() for item in items))

    def contains_images(self) -> bool:
        """Whether any item is an image."""
        return isinstance(self.content, list) and any(item.is_image() for item in self.content)

    def contains_media(self) -> bool:
        """Whether any item is not text: an image, audio or a PDF."""
        return isinstance(self.content, list) and not all(item.is_text() for item in self.content)

    def contains_text(self) -> bool:
        """Whether any item is text."""
        return any(item.is_text() for item in self.content_items)

    def contains_text_content_items_only(self) -> bool:
        """Whether there are items, and all of them are text."""
        total, texts, _ = self.count_content_items()
        return 0 < texts == total

    def contains_image_content_items_only(self) -> bool:
        """Whether there are items, and all of them are images."""
        total, _, images = self.count_content_items()
        return 0 < images == total

    def contains_single_text_content_item_only(self) -> bool:
        """Whether the content is one text and nothing else."""
        return self.count_content_items()[:2] == (1, 1)

    def contains_single_image_content_item_only(self) -> bool:
        """Whether the content is one image and nothing else."""
        return self.count_content_items() == (1, 0, 1)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, unset fields left out. `content` is always there, as chat templates
        expect it: None for a message that consists of tool calls.
        """
        fields = self.__dict__
        if self.__pydantic_fields_set__ == _OF_PLAIN_MESSAGES and isinstance(
            fields["content"], str
        ):
            return {"content": fields["content"], "role": str(fields["role"])}  # most messages
        data = self.model_dump(mode="json", exclude_none=True)
        return data if "content" in data else {"content": None, **data}

    def __repr__(self) -> str:
        name = f"{self.id} - " if self.id else ""
        calls = [
            f"{call.function.name}({call.function.arguments})" for call in self.tool_calls or ()
        ]
        parts = [*map(repr, self.content_items), *map(shorten, calls)]
        return f"{name}{self.role.upper()}: {' | '.join(parts)}"


_OF_ANSWERS: dict[str, Any] = {**dict.fromkeys(Message.model_fields), "role": Role.ASSISTANT}
"""All fields in their order, each with its default, but for the role."""
