"""Tool calling by text: the tools of a request, and the calls in an answer.

Calls in free text have the form of Hermes models, which most open models were trained on:
`<tool_call>{"name": …, "arguments": …}</tool_call>`.
https://github.com/NousResearch/Hermes-Function-Calling
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from oumi.backends.openai_chat import check_tools_are_optional, encode_tools
from oumi.core.types.tool_call import FunctionCall, ToolCall, ToolDefinition
from oumi.errors import RequestError, UnsupportedError
from oumi.runner.request import Request

TOOL_CALL_START, TOOL_CALL_END = "<tool_call>", "</tool_call>"
_TOOL_CALL = re.compile(rf"{TOOL_CALL_START}\s*(\{{.*?\}})\s*{TOOL_CALL_END}", re.DOTALL)


def offered_tools(request: Request) -> list[dict[str, Any]]:
    """The tools that the chat template shows to the model, in the form of the OpenAI API.

    Raises RequestError for a `tool_choice` that these tools cannot satisfy.
    """
    choice = request.config.generation.tool_choice
    if not request.conversation.tools:
        check_tools_are_optional(choice)
    forced_tools(request)
    return [] if choice == "none" else encode_tools(request.conversation)


def forced_tools(request: Request) -> list[ToolDefinition]:
    """The tools of which at least one has to be called; none where the model decides by itself."""
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


def parameters_of(tool: ToolDefinition) -> dict[str, Any]:
    """The schema of a tool's arguments; of a tool that takes none, an object without any."""
    return tool.function.parameters or {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }


def extract_tool_calls(text: str, request: Request) -> tuple[str, list[ToolCall]]:
    """The answer without its tool calls, and the calls.

    Forced calls have a form of `calls_grammar`, others that of Hermes models. Text that only
    looks like a call stays in the answer.
    """
    if forced_tools(request):
        calls = _parse_calls(_TOOL_CALL.findall(text) or _parse_list(text))
        return ("", number_calls(calls, request)) if calls else (text, [])
    if not offered_tools(request):
        return text, []
    calls = _parse_calls(_TOOL_CALL.findall(text))
    if not calls:
        return text, []
    return _TOOL_CALL.sub("", text).strip(), number_calls(calls, request)


def number_calls(calls: list[FunctionCall], request: Request) -> list[ToolCall]:
    """Calls with ids that count through the conversation, so that each run gives the same ids.

    Without `parallel_tool_calls` only the first call is kept.
    """
    kept = calls if request.config.generation.parallel_tool_calls else calls[:1]
    earlier = sum(len(message.tool_calls or ()) for message in request.conversation.messages)
    return [
        ToolCall(id=f"call_{number}", function=call) for number, call in enumerate(kept, earlier)
    ]


def _chosen_name(choice: Any) -> str:
    match choice:
        case {"type": "function", "function": {"name": str(name)}}:
            return name
    raise RequestError(
        f"tool_choice is {choice!r}; it may be 'auto', 'none', 'required', or "
        '{"type": "function", "function": {"name": …}}'
    )


def _parse_list(text: str) -> list[Any]:
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return parsed if isinstance(parsed, list) else []


def _parse_calls(candidates: list[Any]) -> list[FunctionCall]:
    return [call for call in map(_parse_call, candidates) if call]


def _parse_call(candidate: Any) -> FunctionCall | None:
    """The call in a JSON text or value; None where it is none."""
    try:
        call = orjson.loads(candidate) if isinstance(candidate, str) else candidate
        return FunctionCall(name=call["name"], arguments=call.get("arguments") or {})
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        return None
