"""Replies with responses.

https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

import time
from typing import Any

from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason
from oumi.core.types.tool_call import ToolCall
from oumi.server.http.ids import new_id
from oumi.server.query import Answer, Query, added_message

_INCOMPLETE = {
    FinishReason.LENGTH: "max_output_tokens",
    FinishReason.CONTENT_FILTER: "content_filter",
}


def new_response(query: Query, model: str) -> dict[str, Any]:
    """The fields of a response of which nothing has come yet."""
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": model,
        "output": [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
        "metadata": {},
        **query.facts,
    }


def encode_reply(query: Query, answer: Answer) -> bytes:
    """The body of a reply."""
    [completion] = answer.completions
    output = _items(completion)
    return write_json(ended(new_response(query, answer.model), completion, output, answer.usage))


def ended(
    response: dict[str, Any], completion: Completion, output: list[dict[str, Any]], usage: Usage
) -> dict[str, Any]:
    """The response with all that has come."""
    reason = _INCOMPLETE.get(completion.finish_reason)
    return {
        **response,
        "status": "incomplete" if reason else "completed",
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": _encode_usage(usage),
    }


def thought_item(item_id: str, text: str) -> dict[str, Any]:
    """What was thought before the answer."""
    content = [{"type": "reasoning_text", "text": text}]
    return {"id": item_id, "type": "reasoning", "summary": [], "content": content}


def text_item(item_id: str, text: str, logprobs: Any = None) -> dict[str, Any]:
    """The text of the answer."""
    return {
        "id": item_id,
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "content": [text_part(text, logprobs)],
    }


def text_part(text: str, logprobs: Any = None) -> dict[str, Any]:
    """The only part of a text."""
    entries = logprobs.get("content") if isinstance(logprobs, dict) else None
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": entries or []}


def call_item(item_id: str, call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """A call of a function."""
    facts = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"id": item_id, "type": "function_call", "status": "completed", **facts}


def _items(completion: Completion) -> list[dict[str, Any]]:
    message = added_message(completion)
    items = []
    if message.reasoning_content:
        items.append(thought_item(new_id("rs_"), message.reasoning_content))
    text = message.compute_flattened_text_content("")
    if text or not message.tool_calls:
        items.append(text_item(new_id("msg_"), text, completion.logprobs))
    return items + [_call(call) for call in message.tool_calls or ()]


def _call(call: ToolCall) -> dict[str, Any]:
    return call_item(new_id("fc_"), call.id, call.function.name, call.function.arguments)


def _encode_usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_creation_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
