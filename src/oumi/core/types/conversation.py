"""Conversations: the messages sent to a model and its answers, one JSON object per conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from oumi.core.answer_type import AnswerType
from oumi.core.json_text import parse_json, write_json
from oumi.core.types.content_item import ContentItem, ContentItemCounts, Type
from oumi.core.types.field_types import EmptyDict, Id
from oumi.core.types.message import FinishReason, Message, Role
from oumi.core.types.tool_call import ToolDefinition
from oumi.core.types.tool_functions import define_functions
from oumi.core.types.unvalidated import make_valid

__all__ = [
    "ContentItem",
    "ContentItemCounts",
    "Conversation",
    "FinishReason",
    "Message",
    "Role",
    "Type",
]

ValueT = TypeVar("ValueT")

if TYPE_CHECKING:
    Metadata = dict[str, Any]
else:
    Metadata = dict[str, Any] | EmptyDict


class Conversation(BaseModel):
    """Messages in order, with an id, tools, and metadata of any kind.

    Unknown fields are kept and written out again.
    """

    model_config = ConfigDict(extra="allow")

    if TYPE_CHECKING:
        # Messages and tools may be dicts, and tools Python functions.
        def __init__(
            self,
            *,
            messages: Sequence[Message | Mapping[str, Any]],
            conversation_id: str | None = None,
            metadata: Mapping[str, Any] = ...,
            tools: Sequence[ToolDefinition | Mapping[str, Any] | Callable[..., Any]] | None = None,
            **fields: Any,
        ) -> None: ...

    conversation_id: Id | None = None
    messages: list[Message]
    metadata: Metadata = Field(default_factory=dict)
    tools: list[ToolDefinition] | None = None
    """Tools that the model may call. Python functions are taken too, and described by their
    signatures and docstrings; to run them remains the caller's."""

    @field_validator("tools", mode="before")
    @classmethod
    def _define_functions(cls, value: Any) -> Any:
        return define_functions(value) if isinstance(value, list | tuple) else value

    @field_validator("metadata")
    @classmethod
    def _give_usage_to_answer(cls, value: Any, info: ValidationInfo) -> Any:
        """An answer that was written with its conversation knows its tokens again."""
        messages, usage = info.data.get("messages"), value.get("usage")
        if messages and isinstance(usage, dict) and "prompt_tokens" in usage:
            answer = messages[-1]
            if answer.role is Role.ASSISTANT and answer.usage is None:
                messages[-1] = answer.with_usage(usage)
        return value

    @classmethod
    def of_valid(
        cls, messages: list[Message], tools: list[ToolDefinition] | None = None
    ) -> Conversation:
        """Of messages and tools that were validated before."""
        fields: dict[str, Any] = {
            "conversation_id": None,
            "messages": messages,
            "metadata": {},
            "tools": tools,
        }
        return make_valid(cls, fields, {"messages", "metadata", "tools"})

    def __getitem__(self, index: int) -> Message:
        return self.messages[index]

    def filter_messages(
        self, role: Role | None = None, filter_fn: Callable[[Message], bool] | None = None
    ) -> list[Message]:
        """The messages of a role for which `filter_fn` is true; all where neither is given."""
        messages = [m for m in self.messages if role is None or m.role == role]
        return messages if filter_fn is None else list(filter(filter_fn, messages))

    def first_message(self, role: Role | None = None) -> Message | None:
        """The first message (of a role), or None."""
        return next(iter(self.filter_messages(role)), None)

    def last_message(self, role: Role | None = None) -> Message | None:
        """The last message (of a role), or None."""
        return next(iter(reversed(self.filter_messages(role))), None)

    @cached_property
    def answer_type(self) -> AnswerType | None:
        """The type that a run was given for its answers, in `guided_decoding.json`.

        It is no field: it is neither compared nor written.
        """
        return None

    @overload
    def parsed(self) -> Any: ...
    @overload
    def parsed(self, form: type[ValueT]) -> ValueT: ...
    def parsed(self, form: Any = None) -> Any:
        """The JSON value of the last assistant message, as an instance of `form`: a Pydantic model,
        a dataclass, a TypedDict or any other type that Pydantic accepts.

        Without `form` it is one of the type that the run was given, or else the plain value. Raises
        ValueError if the text is not JSON, and pydantic.ValidationError, which is a ValueError too,
        if the value is not a valid `form`.
        """
        text = _answer_text(self.last_message(Role.ASSISTANT))
        try:
            value = parse_json(text)
        except ValueError as error:
            raise ValueError(f"the answer is not JSON: {error}: {text!r:.200}") from None
        answer_type = self.answer_type if form is None else AnswerType(form)
        return value if answer_type is None else answer_type.parse(text)

    def with_answer_type(self, answer_type: AnswerType | None) -> Conversation:
        """This conversation, if it has no type to remember, or a copy that does."""
        if answer_type is None:
            return self
        conversation = self.model_copy()
        conversation.__dict__["answer_type"] = answer_type
        return conversation

    def with_reply(self, message: Message, **metadata: Any) -> Conversation:
        """A copy with `message` appended and `metadata` added. This conversation is not changed."""
        conversation = self.model_copy(
            update={
                "messages": [*self.messages, message],
                "metadata": {**self.metadata, **metadata},
            }
        )
        conversation.__dict__.pop("answer_type", None)  # it was that of an answer before
        return conversation

    def append_id_to_string(self, text: str) -> str:
        """The text with the id of this conversation, if it has one, such as for a log line."""
        if not self.conversation_id:
            return text
        return f"{text.strip()} Conversation id: {self.conversation_id}.".lstrip()

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, unset fields left out. `content` of a message that consists of tool
        calls is None, as chat templates expect it.
        """
        data = self.model_dump(mode="json", exclude_none=True)
        data["messages"] = [message.to_dict() for message in self.messages]
        if "metadata" not in self.model_fields_set and not self.metadata:
            del data["metadata"]
        return data

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

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.messages))

    def _repr_html_(self) -> str:
        from oumi.core.types.html_view import messages_html

        return messages_html(self.messages, self.metadata)

    def __iter__(self) -> Iterator[Message]:  # type: ignore[override]
        return iter(self.messages)


def _answer_text(message: Message | None) -> str:
    if message is None:
        raise ValueError("the conversation has no answer")
    if message.content is None:
        raise ValueError("the answer has no content, it only calls tools")
    return message.compute_flattened_text_content("")
