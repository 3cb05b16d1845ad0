"""Replies with messages.

https://platform.claude.com/docs/en/api/messages/create
"""

from __future__ import annotations

from typing import Any

from oumi.backends.remote.dialects.anthropic_blocks import summarize
from oumi.backends.remote.dialects.message_blocks import kept_blocks
from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion, Usage
from oumi.core.types.conversation import FinishReason, Message
from oumi.core.types.tool_call import ToolCall
from oumi.server.http.ids import new_id
from oumi.server.query import Answer, added_message

_STOP_REASONS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
}


def new_message(model: str) -> dict[str, Any]:
    """The fields of a message of which nothing has come yet."""
    return {
        "id": new_id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": encode_usage(Usage()),
    }


def encode_reply(answer: Answer) -> bytes:
    """The body of a reply."""
    [completion] = answer.completions
    reply = {
        **new_message(answer.model),
        "content": _encode_blocks(added_message(completion)),
        "stop_reason": stop_reason(completion),
        "usage": encode_usage(answer.usage),
    }
    return write_json(reply)


def stop_reason(completion: Completion) -> str:
    """Why the answer ends. Which of several texts has ended it is not known."""
    if completion.context_full:
        return "model_context_window_exceeded"
    return _STOP_REASONS.get(completion.finish_reason, "end_turn")


def encode_usage(usage: Usage) -> dict[str, Any]:
    """Token counts. Those of a cache are not among the input tokens here."""
    apart = usage.cached_tokens + usage.cache_creation_tokens
    encoded: dict[str, Any] = {
        "input_tokens": max(usage.prompt_tokens - apart, 0),
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": usage.cache_creation_tokens,
        "output_tokens": usage.completion_tokens,
    }
    if usage.reasoning_tokens:
        encoded["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return encoded


def _encode_blocks(message: Message) -> list[dict[str, Any]]:
    """The blocks as an API of this kind gave them, with its signatures, or else new ones."""
    kept = kept_blocks(message, summarize)
    if kept:
        return kept
    blocks: list[dict[str, Any]] = []
    if message.reasoning_content:
        thought = message.reasoning_content
        blocks.append({"type": "thinking", "thinking": thought, "signature": ""})
    if text := message.compute_flattened_text_content(""):
        blocks.append({"type": "text", "text": text, "citations": None})
    return blocks + [_encode_call(call) for call in message.tool_calls or ()]


def _encode_call(call: ToolCall) -> dict[str, Any]:
    return {
        "type": "tool_use",
        "id": call.id,
        "name": call.function.name,
        "input": _input_of(call),
    }


def _input_of(call: ToolCall) -> dict[str, Any]:
    """The arguments, which have to be an object here; text that is none is put into one."""
    try:
        return call.function.get_arguments_dict()
    except ValueError:
        return {"arguments": call.function.arguments}
