"""Requests for messages.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oumi.core.types.content_item import ContentItem
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.core.types.tool_call import ToolDefinition
from oumi.server.anthropic.turns import read_turn
from oumi.server.bodies import Body, read_body, wrong_place
from oumi.server.http.errors import wrong_field
from oumi.server.query import Query

_SAME = frozenset({"temperature", "top_p", "top_k"})
"""Fields that have the same name here."""
_WITHOUT_EFFECT = frozenset({"metadata", "cache_control", "diagnostics", "user_profile_id"})
"""Fields that shape no answer. They are taken, and change nothing."""
_ONLY: dict[str, tuple[Any, ...]] = {"service_tier": ("auto", "standard_only")}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


class Turn(BaseModel):
    """A message: text, or blocks."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["user", "assistant", "system"]
    content: str | list[dict[str, Any]]


class CountBody(Body):
    """The body of a request to count tokens."""

    model: str | None = None
    messages: list[Turn] = Field(min_length=1)
    system: str | list[ContentItem] | None = None
    tools: list[dict[str, Any]] | None = None


class MessagesBody(CountBody):
    """The body of a request for a message; the settings in it are in `model_extra`."""

    max_tokens: int
    stop_sequences: list[str] | None = None
    stream: bool | None = None
    tool_choice: dict[str, Any] | None = None
    thinking: dict[str, Any] | None = None
    output_config: dict[str, Any] | None = None


def read_query(body: bytes) -> Query:
    """The query in a body. Raises HttpError, which names the field."""
    found = read_body(MessagesBody, body)
    settings = dict(_settings(found))
    return Query(
        found.model,
        read_conversation(found),
        {setting: value for setting, (value, _) in settings.items()},
        {setting: field for setting, (_, field) in settings.items()},
        stream=bool(found.stream),
    )


def read_conversation(body: CountBody) -> Conversation:
    """The system prompt and the turns as one conversation. Raises HttpError."""
    messages = [] if not body.system else [Message(role=Role.SYSTEM, content=body.system)]
    for number, turn in enumerate(body.messages):
        try:
            messages += read_turn(turn.role, turn.content)
        except ValidationError as error:
            raise wrong_place(error, f"messages.{number}.content") from None
        except (LookupError, TypeError, ValueError) as error:
            raise wrong_field(f"messages.{number}.content", str(error)) from None
    tools = [_read_tool(number, tool) for number, tool in enumerate(body.tools or ())]
    return Conversation.of_valid(messages, tools or None)


def _read_tool(number: int, tool: Mapping[str, Any]) -> ToolDefinition:
    fields = dict(tool)
    kind = fields.pop("type", "custom")
    if kind != "custom":
        raise wrong_field(f"tools.{number}.type", f"{kind!r} is a tool of Anthropic's own servers")
    try:
        return ToolDefinition.model_validate(fields)
    except ValidationError as error:
        raise wrong_place(error, f"tools.{number}") from None


def _settings(body: MessagesBody) -> Iterator[tuple[str, tuple[Any, str]]]:
    """The settings, each with its value and the field that it is from."""
    yield "max_new_tokens", (body.max_tokens, "max_tokens")
    if body.stop_sequences:
        yield "stop_strings", (body.stop_sequences, "stop_sequences")
    for name, value in (body.model_extra or {}).items():
        if value is None or name in _WITHOUT_EFFECT or value in _ONLY.get(name, ()):
            continue
        if name not in _SAME:
            raise wrong_field(name, "it is not supported here")
        yield name, (value, name)
    if body.messages[-1].role == "assistant":  # which this API continues by itself
        yield "continue_final_message", (True, "messages")
    yield from _of_tools(body.tool_choice or {})
    yield from _of_thinking(body.thinking or {})
    yield from _of_output(body.output_config or {})


def _of_tools(choice: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, str]]]:
    kind = choice.get("type")
    if kind == "tool":
        named = {"type": "function", "function": {"name": choice.get("name")}}
        yield "tool_choice", (named, "tool_choice")
    elif kind in _CHOICES:
        yield "tool_choice", (_CHOICES[kind], "tool_choice")
    elif choice:
        raise wrong_field("tool_choice.type", "expected auto, any, tool or none")
    if choice.get("disable_parallel_tool_use"):
        yield "parallel_tool_calls", (False, "tool_choice.disable_parallel_tool_use")


def _of_thinking(thinking: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, str]]]:
    match thinking:
        case {"type": "enabled", "budget_tokens": budget}:
            yield "enable_thinking", (True, "thinking")
            yield "max_thinking_tokens", (budget, "thinking.budget_tokens")
        case {"type": "disabled"}:
            yield "enable_thinking", (False, "thinking")
        case {"type": "adaptive"} | {}:
            return  # the model decides, as it does without the field
        case _:
            raise wrong_field(
                "thinking", "expected enabled with budget_tokens, disabled or adaptive"
            )


def _of_output(output: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Any, str]]]:
    if output.get("effort") is not None:
        yield "reasoning_effort", (output["effort"], "output_config.effort")
    match output.get("format"):
        case None:
            return
        case {"type": "json_schema", "schema": schema}:
            form = {"json": schema, "strict": True}
            yield "guided_decoding", (form, "output_config.format")
        case _:
            raise wrong_field("output_config.format", "expected a json_schema with its schema")
