"""Replies with chat completions.

https://platform.openai.com/docs/api-reference/chat/object
"""

from __future__ import annotations

import time
from typing import Any

from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message
from oumi.core.types.tool_call import ToolCall
from oumi.server.http.ids import new_id
from oumi.server.query import Answer, added_message

FINISH_REASONS = {reason: reason.value for reason in FinishReason} | {FinishReason.UNKNOWN: "stop"}
"""OpenAI has no word for a reason that is not known."""


def encode_reply(answer: Answer) -> bytes:
    """The body of a reply."""
    reply = {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": answer.model,
        "choices": [
            encode_choice(index, completion) for index, completion in enumerate(answer.completions)
        ],
        "usage": encode_usage(answer.usage),
    }
    return write_json(reply)


def encode_choice(index: int, completion: Completion) -> dict[str, Any]:
    """An entry of `choices`."""
    return {
        "index": index,
        "message": encode_message(added_message(completion)),
        "logprobs": completion.logprobs,
        "finish_reason": FINISH_REASONS[completion.finish_reason],
    }


def encode_message(message: Message) -> dict[str, Any]:
    """The assistant's message. Reasoning is in the field that most servers have for it."""
    calls = message.tool_calls
    encoded: dict[str, Any] = {
        "role": "assistant",
        "content": None if message.content is None else message.compute_flattened_text_content(""),
        "refusal": None,
    }
    if message.reasoning_content:
        encoded["reasoning_content"] = message.reasoning_content
    if calls:
        encoded["tool_calls"] = [_encode_call(call) for call in calls]
    return encoded


def encode_usage(usage: Usage) -> dict[str, Any]:
    """Token counts."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_creation_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _encode_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.function.name, "arguments": call.function.arguments}
    encoded = {"id": call.id, "type": "function", "function": function}
    # Some APIs want it back with the call.
    return encoded | ({"extra_content": call.extra_content} if call.extra_content else {})
