"""A reply of Google's `generateContent` as one of the chat API, which its sessions decode.

https://ai.google.dev/api/generate-content#generatecontentresponse
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.remote.errors import BadReplyError
from oumi.batch.api.providers.facts import read_count, read_object, read_objects
from oumi.core.json_text import write_json

_FILTERED = "content_filter"


def to_chat_reply(reply: Mapping[str, Any]) -> bytes:
    """The body of the same reply in the chat API. Raises BadReplyError for one without an answer.

    A prompt that was refused has an empty answer, whose finish reason says so.
    """
    candidates = read_objects(reply.get("candidates"))
    blocked = read_object(reply.get("promptFeedback")).get("blockReason")
    if not candidates and not blocked:
        raise BadReplyError(f"no answer: {str(reply)[:200]}")
    choice = _choice(candidates[0]) if candidates else _blocked(str(blocked))
    usage = _usage(read_object(reply.get("usageMetadata")))
    return write_json({"object": "chat.completion", "choices": [choice], "usage": usage})


def _choice(candidate: Mapping[str, Any]) -> dict[str, Any]:
    parts = read_objects(read_object(candidate.get("content")).get("parts"))
    calls = [_call(part, number) for number, part in enumerate(parts) if part.get("functionCall")]
    message: dict[str, Any] = {"role": "assistant", "content": _text(parts, is_thought=False)}
    if thoughts := _text(parts, is_thought=True):
        message["reasoning_content"] = thoughts
    if calls:
        message |= {"content": message["content"] or None, "tool_calls": calls}
    reason = str(candidate.get("finishReason") or "")
    is_call = calls and reason == "STOP"
    return {"index": 0, "message": message, "finish_reason": "tool_calls" if is_call else reason}


def _blocked(reason: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": ""}
    return {"index": 0, "message": message, "finish_reason": f"{_FILTERED}: {reason}"}


def _text(parts: list[Mapping[str, Any]], *, is_thought: bool) -> str:
    return "".join(
        str(part["text"])
        for part in parts
        if part.get("text") and bool(part.get("thought")) is is_thought
    )


def _call(part: Mapping[str, Any], number: int) -> dict[str, Any]:
    call = part["functionCall"]
    arguments = write_json(call.get("args") or {}).decode()
    function = {"name": call.get("name"), "arguments": arguments}
    made = {"id": call.get("id") or f"call_{number}", "type": "function", "function": function}
    signature = part.get("thoughtSignature")
    google = {"google": {"thought_signature": signature}}
    return made | ({"extra_content": google} if signature else {})


def _usage(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Thoughts are counted beside the answer there, and within it in the chat API."""
    thoughts = read_count(counts.get("thoughtsTokenCount"))
    prompt = read_count(counts.get("promptTokenCount"))
    prompt += read_count(counts.get("toolUsePromptTokenCount"))
    return {
        "prompt_tokens": prompt,
        "completion_tokens": read_count(counts.get("candidatesTokenCount")) + thoughts,
        "prompt_tokens_details": {
            "cached_tokens": read_count(counts.get("cachedContentTokenCount"))
        },
        "completion_tokens_details": {"reasoning_tokens": thoughts},
    }
