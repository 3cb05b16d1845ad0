"""What the dialects of Anthropic and Bedrock have in common: turns that consist of blocks.

Both keep the system prompt apart, take the results of tools in a turn of the user, and want a
model's signed thoughts back as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

from oumi.backends.messages import sent_messages
from oumi.backends.openai_chat import check_tools_are_optional
from oumi.backends.remote.model_families import family_of
from oumi.core.configs import InferenceConfig
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation, Message, Role
from oumi.core.types.tool_call import ToolCall, ToolDefinition
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.request import Request

ANSWER_TOOL = "answer"
"""The tool that a model has to call where its API cannot constrain an answer to a schema."""

_WHILE_THINKING = {"temperature": (None, 1), "top_k": (None,)}
"""The values that these settings may have while a model thinks."""


class BlockSummary(NamedTuple):
    """The content of blocks, as the fields of a message hold it."""

    text: str
    calls: tuple[str, ...]
    """The ids of the calls."""


class ToolChoice(NamedTuple):
    """`kind` is auto, none, any or tool; `name` is that of the tool."""

    kind: str
    name: str = ""


def split_system(conversation: Conversation) -> tuple[list[Message], list[Message]]:
    """The system messages at the beginning, and the others. Raises RequestError for the result of a
    tool of which nobody can say whose it is.
    """
    messages = sent_messages(conversation)
    start = next((i for i, m in enumerate(messages) if m.role != Role.SYSTEM), len(messages))
    return messages[:start], messages[start:]


def split_turns(messages: Iterable[Message]) -> list[list[Message]]:
    """Each message by itself, but for results of tools that follow each other."""
    turns: list[list[Message]] = []
    for message in messages:
        if message.role == Role.TOOL and turns and turns[-1][0].role == Role.TOOL:
            turns[-1].append(message)
        else:
            turns.append([message])
    return turns


def is_empty_answer(message: Message) -> bool:
    """Whether an answer says nothing and calls nothing."""
    is_empty = not (message.content or message.tool_calls or message.content_blocks)
    return is_empty and message.role == Role.ASSISTANT


def check_message(message: Message, model_name: str) -> None:
    """Raise UnsupportedError for a message that these APIs or the model do not take."""
    if message.name is not None and message.role != Role.TOOL:
        raise UnsupportedError(
            f"this API has no names of speakers: write {message.name!r} into the text"
        )
    if message.role == Role.SYSTEM and not family_of(model_name).later_system:
        raise UnsupportedError(
            f"{model_name} takes system messages only at the beginning: move this one there, or "
            "make it one of the user"
        )


def check_system(messages: list[Message]) -> None:
    """Raise UnsupportedError for anything but text in a system prompt."""
    if any(message.contains_media() for message in messages):
        raise UnsupportedError("this API takes no images in a system message, and no other media")


def kept_blocks(
    message: Message, summarize: Callable[[list[dict[str, Any]]], BlockSummary | None]
) -> list[dict[str, Any]] | None:
    """The blocks of an earlier answer; None where its message was changed since.

    `summarize` reads the blocks of this API, and returns None for those of another one.
    """
    if not message.content_blocks:
        return None
    calls = tuple(call.id for call in message.tool_calls or ())
    same = summarize(message.content_blocks) == (message.compute_flattened_text_content(""), calls)
    return message.content_blocks if same else None


def further_fields(tool: ToolDefinition) -> dict[str, Any]:
    """What a tool's definition holds besides the fields of the OpenAI API.

    `return` is left out: Transformers makes it of a function's docstring for chat templates alone.
    """
    fields = {**(tool.function.model_extra or {}), **(tool.model_extra or {})}
    return {name: value for name, value in fields.items() if name != "return"}


def read_arguments(call: ToolCall) -> dict[str, Any]:
    """The arguments of a call. Raises RequestError where they are no JSON object."""
    try:
        return call.function.get_arguments_dict()
    except ValueError as error:
        raise RequestError(f"the call {call.id} of {call.function.name}: {error}") from error


def read_input(text: str, *, as_text: bool) -> Any:
    """The input of a streamed call. One that was cut off stays text.

    With `as_text` it stays text too: an answer has to be the same text that was streamed.
    """
    try:
        return text if as_text else orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def to_json(value: Any) -> str:
    """The JSON text of an input, which may be text already, or missing."""
    return value if value and isinstance(value, str) else write_json(value or {}).decode()


def check_tool_choice(request: Request) -> None:
    """Raise RequestError for a choice that demands a call of a conversation without tools."""
    if not request.conversation.tools:
        check_tools_are_optional(request.config.generation.tool_choice)


def parse_tool_choice(choice: Any) -> ToolChoice:
    """The meaning of `generation.tool_choice`. Raises RequestError."""
    match choice:
        case "auto" | "none":
            return ToolChoice(choice)
        case "required":
            return ToolChoice("any")
        case {"type": "function", "function": {"name": str(name)}}:
            return ToolChoice("tool", name)
    raise RequestError(
        f"generation.tool_choice is {choice!r}; expected auto, none, required, or "
        '{"type": "function", "function": {"name": …}}'
    )


def left_out_sampling(config: InferenceConfig, *, thinking: bool) -> set[str]:
    """Which sampling settings are not sent, because the model does not take them.

    The default temperature is left out where the model has to choose it: when it thinks, and
    where `top_p` is set and it takes only one of the two.
    """
    generation, family = config.generation, family_of(config.model.model_name)
    left_out = {f"generation.{name}" for name in family.fixed}
    if "temperature" not in generation.model_fields_set and (
        thinking or (family.temperature_or_top_p and generation.top_p is not None)
    ):
        left_out.add("generation.temperature")
    return left_out


def sent_sampling(config: InferenceConfig, *, thinking: bool) -> dict[str, Any]:
    """`temperature`, `top_p` and `top_k`, those that are sent."""
    left_out = left_out_sampling(config, thinking=thinking)
    values = {name: getattr(config.generation, name) for name in ("temperature", "top_p", "top_k")}
    return {
        name: value
        for name, value in values.items()
        if value is not None and f"generation.{name}" not in left_out
    }


def check_sampling(config: InferenceConfig, *, thinking: bool) -> None:
    """Raise UnsupportedError for sampling settings that do not go together."""
    generation, name = config.generation, config.model.model_name
    given = sent_sampling(config, thinking=thinking)
    if family_of(name).temperature_or_top_p and {"temperature", "top_p"} <= given.keys():
        raise UnsupportedError(f"{name} takes generation.temperature or top_p, not both")
    if not thinking:
        return
    for setting, taken in _WHILE_THINKING.items():
        if given.get(setting) not in taken:
            raise UnsupportedError(f"{name} does not take generation.{setting} while it thinks")
    if generation.tool_choice not in (None, "auto", "none"):
        raise UnsupportedError(
            f"{name} cannot be made to call a tool while it thinks: set generation.tool_choice "
            "to auto, or leave out the settings of thinking"
        )


def check_prefill(config: InferenceConfig, continues: bool) -> None:
    """Raise UnsupportedError where a last message of the assistant cannot be continued.

    https://platform.claude.com/docs/en/about-claude/models/migration-guide
    """
    if not continues:
        return
    name = config.model.model_name
    if not family_of(name).prefill:
        raise UnsupportedError(
            f"{name} continues no message, as Claude up to 4.5 does: leave out "
            "generation.continue_final_message, or take such a model"
        )
    if config.generation.guided_decoding is not None:
        raise UnsupportedError(
            "this API continues no message where the answer has to have a form: leave out "
            "generation.continue_final_message or generation.guided_decoding"
        )


def check_answer_tool(request_tools: object, *, is_forced: bool) -> None:
    """Raise UnsupportedError for tools where the answer itself has to be a tool call."""
    if is_forced and request_tools:
        raise UnsupportedError(
            "this model keeps to a schema by calling a tool, so it cannot have tools of its own: "
            "leave out the tools or generation.guided_decoding, or take a newer model"
        )
