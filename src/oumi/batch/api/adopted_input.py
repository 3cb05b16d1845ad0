"""The conversation in the body of a request to OpenAI's Responses API.

https://platform.openai.com/docs/api-reference/responses/create#responses_create-input
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def read_input(body: Mapping[str, Any]) -> list[Any]:
    """The messages, in the form of the chat API. What has no such form is left as it is."""
    asked = body.get("input")
    items = asked if isinstance(asked, list) else [{"role": "user", "content": asked}]
    messages: list[Any] = []
    if body.get("instructions"):
        messages.append({"role": "system", "content": body["instructions"]})
    for item in items:
        _add(messages, item)
    return messages


def read_tools(tools: Any) -> list[Any]:
    """The functions among the tools, in the form of the chat API; others are the provider's own."""
    functions = [t for t in tools or () if isinstance(t, dict) and t.get("type") == "function"]
    return [
        {"type": "function", "function": {k: v for k, v in tool.items() if k != "type"}}
        for tool in functions
    ]


def _add(messages: list[Any], item: Any) -> None:
    kind = item.get("type", "message") if isinstance(item, dict) else ""
    match kind:
        case "message":
            messages.append({"role": item.get("role"), "content": _content(item.get("content"))})
        case "function_call_output":
            result = {"role": "tool", "tool_call_id": item.get("call_id")}
            messages.append({**result, "content": _content(item.get("output"))})
        case "function_call":
            _add_call(messages, item)
        case "":
            messages.append(item)


def _add_call(messages: list[Any], item: Mapping[str, Any]) -> None:
    """Add a call to the message of the assistant before it, or to one of its own."""
    function = {"name": item.get("name"), "arguments": item.get("arguments")}
    call = {"id": item.get("call_id"), "type": "function", "function": function}
    last = messages[-1] if messages else None
    if not (isinstance(last, dict) and last.get("role") == "assistant"):
        last = {"role": "assistant"}
        messages.append(last)
    last["tool_calls"] = [*last.get("tool_calls", ()), call]


def _content(content: Any) -> Any:
    return list(map(_part, content)) if isinstance(content, list) else content


def _part(part: Any) -> Any:
    match part:
        case {"type": "input_text" | "output_text", "text": text} | {"refusal": text}:
            return {"type": "text", "text": text}
        case {"type": "input_image", "image_url": str(url)}:
            return {"type": "image_url", "image_url": {"url": url}}
    return part
