"""Requests for responses.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from oumi.core.types.conversation import Conversation, Message, Role
from oumi.core.types.tool_call import ToolDefinition
from oumi.server.bodies import Body, read_body, read_fields, wrong_place
from oumi.server.http.errors import wrong_field
from oumi.server.openai_chat.request import WITHOUT_EFFECT, check_only
from oumi.server.query import Query
from oumi.server.responses.items import read_items

_LOGPROBS = "message.output_text.logprobs"
_INCLUDED = frozenset({_LOGPROBS, "reasoning.encrypted_content"})
"""What may be asked for besides. Thoughts are not encrypted here, so that there is none of it."""
_ONLY: dict[str, tuple[Any, ...]] = {
    "background": (False,),
    "truncation": ("disabled",),
    "stream_options": ({"include_obfuscation": False},),
}
_STATEFUL = ("previous_response_id", "conversation", "prompt")
_SHOWN = (
    *("instructions", "max_output_tokens", "temperature", "top_p", "tool_choice", "reasoning"),
    *("parallel_tool_calls", "text", "metadata", "tools"),
)
"""Fields that a response repeats."""


class ResponsesBody(Body):
    """The body of a request; the settings in it are in `model_extra`."""

    model: str | None = None
    input: str | list[dict[str, Any]]
    instructions: str | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Any = None
    text: dict[str, Any] | None = None
    include: list[str] | None = None
    top_logprobs: int | None = None
    stream: bool | None = None


def read_query(body: bytes) -> Query:
    """The query in a body. Raises HttpError, which names the field."""
    found = read_body(ResponsesBody, body)
    fields = dict(found.model_extra or {})
    _check_stateless(fields)
    check_only(fields, _ONLY)
    fields |= _text_fields(found) | _logprob_fields(found)
    if found.tool_choice is not None:
        fields["tool_choice"] = _tool_choice(found.tool_choice)
    settings, origins = read_fields(fields, WITHOUT_EFFECT, ResponsesBody)
    return Query(
        found.model,
        _conversation(found),
        settings,
        origins | ({"guided_decoding": "text.format"} if "guided_decoding" in origins else {}),
        stream=bool(found.stream),
        facts=_facts(found),
    )


def _conversation(body: ResponsesBody) -> Conversation:
    messages = []
    if body.instructions:
        messages.append(Message(role=Role.DEVELOPER, content=body.instructions))
    try:
        messages += read_items(body.input)
    except ValidationError as error:
        raise wrong_place(error, "input") from None
    except (LookupError, TypeError, ValueError) as error:
        raise wrong_field("input", str(error)) from None
    tools = [_read_tool(number, tool) for number, tool in enumerate(body.tools or ())]
    return Conversation.of_valid(messages, tools or None)


def _read_tool(number: int, tool: dict[str, Any]) -> ToolDefinition:
    if tool.get("type") != "function":
        raise wrong_field(f"tools.{number}.type", "tools are functions here")
    try:
        return ToolDefinition.model_validate(tool)
    except ValidationError as error:
        raise wrong_place(error, f"tools.{number}") from None


def _tool_choice(choice: Any) -> Any:
    match choice:
        case str():
            return choice
        case {"type": "function", "name": name}:
            return {"type": "function", "function": {"name": name}}
    raise wrong_field("tool_choice", "expected auto, none, required or a function by its name")


def _text_fields(body: ResponsesBody) -> dict[str, Any]:
    """The format of the answer, as chat completions have it."""
    text = dict(body.text or {})
    form = text.pop("format", None)
    check_only(text)
    if text:
        raise wrong_field(f"text.{min(text)}", "it is not supported here")
    if not isinstance(form, dict) or form.get("type") != "json_schema":
        return {"response_format": form}
    schema = {name: value for name, value in form.items() if name != "type"}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _logprob_fields(body: ResponsesBody) -> dict[str, Any]:
    included = set(body.include or ())
    if unknown := included - _INCLUDED:
        raise wrong_field("include", f"{min(unknown)!r} is not supported here")
    if _LOGPROBS not in included:
        return {}
    return {"logprobs": True, "top_logprobs": body.top_logprobs or 0}


def _check_stateless(fields: dict[str, Any]) -> None:
    for name in _STATEFUL:
        if fields.get(name) is not None:
            text = "no conversations are kept here: send the items of the whole one as `input`"
            raise wrong_field(name, text)


def _facts(body: ResponsesBody) -> dict[str, Any]:
    given = {**dict(body), **(body.model_extra or {})}
    return {name: given[name] for name in _SHOWN if given.get(name) is not None}
