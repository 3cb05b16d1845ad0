"""Tools of a row: which are offered, an answer that has to be calls of them, calls in a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from oumi.backends.openai_chat import check_tools_are_optional, encode_tools
from oumi.core.types.tool_call import FunctionCall, ToolCall, ToolDefinition
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.request import Request

TOOL_CALL, TOOL_CALL_END = "<tool_call>", "</tool_call>"
_CALL = re.compile(rf"{TOOL_CALL}\s*(\{{.*?\}})\s*{TOOL_CALL_END}", re.DOTALL)


def offered_tools(request: Request) -> list[dict[str, Any]]:
    """The tools that the model is told of. Raises RequestError for a choice that cannot be made."""
    choice = request.config.generation.tool_choice
    if not request.conversation.tools:
        check_tools_are_optional(choice)
    forced_tools(request)
    return [] if choice == "none" else encode_tools(request.conversation)


def forced_tools(request: Request) -> list[ToolDefinition]:
    """The tools of which one or more have to be called; none where the model may choose not to."""
    choice, tools = request.config.generation.tool_choice, request.conversation.tools or []
    if choice in (None, "auto", "none"):
        return []
    if request.config.generation.guided_decoding is not None:
        raise UnsupportedError("guided_decoding does not go with a tool that has to be called")
    if choice == "required":
        return list(tools)
    name = _chosen_name(choice)
    chosen = [tool for tool in tools if tool.function.name == name]
    if not chosen:
        known = ", ".join(tool.function.name for tool in tools)
        raise RequestError(f"tool_choice is {choice!r}, but the row's tools are: {known}")
    return chosen


def forced_schema(request: Request) -> dict[str, Any] | None:
    """The JSON schema of an answer that has to be calls: a list of `{"name", "arguments"}`."""
    tools = forced_tools(request)
    if not tools:
        return None
    generation = request.config.generation
    single = generation.tool_choice != "required" or not generation.parallel_tool_calls
    parameters = {tool.function.name: tool.function.parameters or {} for tool in tools}
    return {
        "type": "array",
        "items": {"anyOf": [_call_schema(name) for name in parameters]},
        "minItems": 1,
        **({"maxItems": 1} if single else {}),
        "$defs": {name: _moved(schema, f"#/$defs/{name}") for name, schema in parameters.items()},
    }


def take_calls(text: str, request: Request) -> tuple[str, list[ToolCall]]:
    """What is left of an answer without its calls, and the calls.

    They are in the form of `forced_schema`, or in that of Hermes models:
    `<tool_call>{"name": …, "arguments": …}</tool_call>`.
    """
    if forced_tools(request):
        calls = [call for call in map(_read, _read_list(text)) if call]
        return ("", number_calls(calls, request)) if calls else (text, [])
    if not offered_tools(request):
        return text, []
    calls = [call for call in map(_read, _CALL.findall(text)) if call]
    if not calls:
        return text, []
    return _CALL.sub("", text).strip(), number_calls(calls, request)


def number_calls(calls: list[FunctionCall], request: Request) -> list[ToolCall]:
    """Calls with ids that are the same in each run; one alone where only one is wanted."""
    wanted = calls if request.config.generation.parallel_tool_calls else calls[:1]
    earlier = sum(len(message.tool_calls or ()) for message in request.conversation.messages)
    return [
        ToolCall(id=f"call_{number}", function=call) for number, call in enumerate(wanted, earlier)
    ]


def _chosen_name(choice: Any) -> str:
    match choice:
        case {"type": "function", "function": {"name": str(name)}}:
            return name
    raise RequestError(
        f"tool_choice is {choice!r}; it may be 'auto', 'none', 'required', or "
        '{"type": "function", "function": {"name": …}}'
    )


def _call_schema(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"const": name}, "arguments": {"$ref": f"#/$defs/{name}"}},
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }


def _moved(schema: Any, place: str) -> Any:
    """A schema that stands at `place` in another one, and its references with it."""
    if isinstance(schema, Mapping):
        return {
            key: place + value[1:]
            if key == "$ref" and isinstance(value, str) and value.startswith("#")
            else _moved(value, place)
            for key, value in schema.items()
        }
    return [_moved(item, place) for item in schema] if isinstance(schema, list) else schema


def _read_list(text: str) -> list[Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return found if isinstance(found, list) else []


def _read(written: Any) -> FunctionCall | None:
    try:
        call = orjson.loads(written) if isinstance(written, str) else written
        return FunctionCall(name=call["name"], arguments=call.get("arguments") or {})
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        return None
