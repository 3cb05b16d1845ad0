"""Bodies in the shape of OpenAI's Responses API. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tests.fault_server import bodies
from tests.fault_server.model_reply import read
from tests.fault_server.plan import Plan

STREAM_TYPE = "text/event-stream"

_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
_ENCRYPTED = "gAAAAABencrypted=="

error = bodies.error


def completion(row: str, body: bytes, plan: Plan) -> bytes:
    """The good answer."""
    return orjson.dumps(_response(row, body, plan))


def events(row: str, body: bytes, plan: Plan) -> list[bytes]:
    """The events of a streamed answer, a word each."""
    values = plan.events or _events(row, body, plan)
    return [_event(value, number) for number, value in enumerate(values)]


def error_event() -> bytes:
    """An error inside a stream."""
    said = {"type": "error", "code": "server_error", "message": "The server had an error."}
    return _event({**said, "param": None}, 9)


def wrong_choices(variant: str, good: bytes) -> bytes:
    """JSON that is no response."""
    value = orjson.loads(good)
    match variant:
        case "list":
            value = [value]
        case "no_choices":
            del value["output"]
        case "empty":
            value |= {"output": [], "status": "failed"}
        case _:
            value |= {"output": None, "status": None}
    return orjson.dumps(value)


def _response(row: str, body: bytes, plan: Plan) -> dict[str, Any]:
    asked = orjson.loads(body)
    reason = _INCOMPLETE.get(plan.finish_reason)
    return {
        "id": "resp_fault",
        "object": "response",
        "created_at": 1790000000,
        "status": "incomplete" if reason else "completed",
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "instructions": None,
        "metadata": {},
        "model": asked.get("model", ""),
        "output": _items(row, plan, encrypted=b"reasoning.encrypted_content" in body),
        "parallel_tool_calls": True,
        "temperature": asked.get("temperature"),
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "store": asked.get("store"),
        "usage": _usage(body, plan),
    }


def _usage(body: bytes, plan: Plan) -> dict[str, Any]:
    prompt, answer = bodies.tokens(body, plan)
    reasoning = 3 if plan.message.get("reasoning_content") else 0
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": answer,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": prompt + answer,
    }


def _items(row: str, plan: Plan, *, encrypted: bool) -> list[dict[str, Any]]:
    reply = read(row, plan, None)
    items: list[dict[str, Any]] = []
    if reply.reasoning:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        thought = {"id": "rs_1", "type": "reasoning", "summary": summary}
        items.append(thought | ({"encrypted_content": _ENCRYPTED} if encrypted else {}))
    part = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
    if plan.message.get("refusal"):
        part = {"type": "refusal", "refusal": plan.message["refusal"]}
    if reply.text or "refusal" in part:
        message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
        items.append({**message, "content": [part]})
    for number, (call_id, name, arguments) in enumerate(reply.calls):
        call = {"id": f"fc_{number}", "type": "function_call", "status": "completed"}
        text = orjson.dumps(arguments).decode()
        items.append({**call, "call_id": call_id, "name": name, "arguments": text})
    return items


def _events(row: str, body: bytes, plan: Plan) -> Iterator[dict[str, Any]]:
    whole = _response(row, body, plan)
    words = read(row, plan, None).words
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(whole["output"]):
        empty = {"message": {"content": []}, "reasoning": {"summary": []}}
        start = empty.get(item["type"], {"arguments": ""})
        place = {"output_index": index}
        yield {"type": "response.output_item.added", **place, "item": {**item, **start}}
        yield from _parts(item, {**place, "item_id": item["id"]}, words)
        yield {"type": "response.output_item.done", **place, "item": item}
    yield {"type": f"response.{whole['status']}", "response": whole}


def _parts(
    item: dict[str, Any], place: dict[str, Any], words: list[str]
) -> Iterator[dict[str, Any]]:
    match item["type"]:
        case "reasoning":
            yield from _summary(item["summary"][0], {**place, "summary_index": 0})
        case "message":
            yield from _message(item["content"][0], {**place, "content_index": 0}, words)
        case _:
            text, kind = item["arguments"], "response.function_call_arguments"
            for part in (text[:3], text[3:]):
                yield {"type": f"{kind}.delta", **place, "delta": part}
            yield {"type": f"{kind}.done", **place, "name": item["name"], "arguments": text}


def _summary(part: dict[str, Any], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    kind, text = "response.reasoning_summary", part["text"]
    yield {"type": f"{kind}_part.added", **place, "part": {**part, "text": ""}}
    yield {"type": f"{kind}_text.delta", **place, "delta": text}
    yield {"type": f"{kind}_text.done", **place, "text": text}
    yield {"type": f"{kind}_part.done", **place, "part": part}


def _message(
    part: dict[str, Any], place: dict[str, Any], words: list[str]
) -> Iterator[dict[str, Any]]:
    name = "refusal" if part["type"] == "refusal" else "text"
    kind = f"response.{part['type']}"
    extra = {} if name == "refusal" else {"logprobs": []}
    yield {"type": "response.content_part.added", **place, "part": {**part, name: ""}}
    for word in [part[name]] if name == "refusal" else words:
        yield {"type": f"{kind}.delta", **place, "delta": word, **extra}
    yield {"type": f"{kind}.done", **place, name: part[name], **extra}
    yield {"type": "response.content_part.done", **place, "part": part}


def _event(value: Any, number: int) -> bytes:
    if isinstance(value, str):
        return value.encode()
    data = orjson.dumps({**value, "sequence_number": number})
    return b"event: %b\ndata: %b\n\n" % (value["type"].encode(), data)
