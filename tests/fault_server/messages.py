"""Bodies in the shape of Anthropic's messages API. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tests.fault_server.model_reply import ModelReply, read
from tests.fault_server.plan import Plan

STREAM_TYPE = "text/event-stream"

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
_ERRORS = {
    400: ("invalid_request_error", "max_tokens: must be greater than or equal to 1"),
    401: ("authentication_error", "invalid x-api-key"),
    403: ("permission_error", "Your API key may not use this model."),
    404: ("not_found_error", "model: claude-nope"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    529: ("overloaded_error", "Overloaded"),
}


def completion(row: str, body: bytes, plan: Plan) -> bytes:
    """The good answer."""
    return orjson.dumps(_message(row, body, plan))


def events(row: str, body: bytes, plan: Plan) -> list[bytes]:
    """The events of a streamed answer, a word each."""
    return [_event(value) for value in plan.events or _events(row, body, plan)]


def error(code: int, name: str | None = None) -> bytes:
    """What Anthropic says with a status."""
    usual, text = _ERRORS.get(code, ("api_error", "Internal server error"))
    value = {"type": name or usual, "message": text}
    return orjson.dumps({"type": "error", "error": value, "request_id": "req_fault"})


def error_event() -> bytes:
    """An error inside a stream."""
    return b"event: error\ndata: " + error(529) + b"\n\n"


def wrong_choices(variant: str, good: bytes) -> bytes:
    """JSON that is no message."""
    value = orjson.loads(good)
    if variant == "list":
        value = [value]
    elif variant in ("no_choices", "empty"):
        del value["content"]
    else:
        value["content"] = None
    return orjson.dumps(value)


def _message(row: str, body: bytes, plan: Plan) -> dict[str, Any]:
    asked = orjson.loads(body)
    reply = read(row, plan, _forced_tool(asked))
    reason = "tool_calls" if reply.calls else plan.finish_reason
    return {
        "id": "msg_fault",
        "type": "message",
        "role": "assistant",
        "model": asked.get("model", ""),
        "content": _blocks(reply),
        "stop_reason": _STOP_REASONS.get(reason, reason),
        "stop_sequence": None,
        "usage": {"input_tokens": len(body) // 4, "output_tokens": 5},
    }


def _forced_tool(asked: dict[str, Any]) -> str | None:
    choice = asked.get("tool_choice") or {}
    return choice.get("name") if choice.get("type") == "tool" else None


def _blocks(reply: ModelReply) -> list[dict[str, Any]]:
    thinking = {"type": "thinking", "thinking": reply.reasoning, "signature": "c2lnbmVk"}
    calls = [
        {"type": "tool_use", "id": call_id, "name": name, "input": arguments}
        for call_id, name, arguments in reply.calls
    ]
    text = {"type": "text", "text": reply.text}
    return [*([thinking] if reply.reasoning else ()), *([text] if reply.text else ()), *calls]


def _events(row: str, body: bytes, plan: Plan) -> Iterator[dict[str, Any]]:
    whole = _message(row, body, plan)
    words = read(row, plan, None).words
    head = {**whole, "content": [], "stop_reason": None}
    yield {"type": "message_start", "message": head}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        start, deltas = _pieces(block, words)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": 5}}
    yield {"type": "message_stop"}


def _pieces(block: dict[str, Any], words: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    match block["type"]:
        case "text":
            deltas = [{"type": "text_delta", "text": word} for word in words]
            return {**block, "text": ""}, deltas
        case "thinking":
            thinking = {"type": "thinking_delta", "thinking": block["thinking"]}
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [thinking, signature]
    text = orjson.dumps(block["input"]).decode()
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in (text[:3], text[3:])]
    return {**block, "input": {}}, deltas


def _event(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), orjson.dumps(value))
