"""Bodies in the shape of Bedrock's Converse. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tests.fault_server.eventstream import event, exception
from tests.fault_server.model_reply import ModelReply, read
from tests.fault_server.plan import Plan

STREAM_TYPE = "application/vnd.amazon.eventstream"

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "guardrail_intervened",
}
_ERRORS = {
    400: "The provided request is not valid.",
    401: "The security token included in the request is invalid.",
    403: "You don't have access to the model with the specified model ID.",
    404: "Could not resolve the foundation model from the provided model identifier.",
    429: "Too many requests, please wait before trying again.",
    503: "The service is unavailable.",
}


def completion(row: str, body: bytes, plan: Plan) -> bytes:
    """The good answer."""
    return orjson.dumps(_reply(row, body, plan))


def events(row: str, body: bytes, plan: Plan) -> list[bytes]:
    """The events of a streamed answer, a word each."""
    return [event(kind, **fields) for kind, fields in _events(row, body, plan)]


def error(code: int, name: str | None = None) -> bytes:
    """What Bedrock says with a status."""
    return orjson.dumps({"message": _ERRORS.get(code, "The system had an error.")})


def error_event() -> bytes:
    """An error inside a stream."""
    return exception("throttlingException", _ERRORS[429])


def wrong_choices(variant: str, good: bytes) -> bytes:
    """JSON that is no reply."""
    value = orjson.loads(good)
    if variant == "list":
        value = [value]
    elif variant in ("no_choices", "empty"):
        del value["output"]
    else:
        value["output"] = {"message": None}
    return orjson.dumps(value)


def models(names: list[str]) -> bytes:
    """The list of models, which is told by another service of AWS."""
    arn = "arn:aws:bedrock:eu-central-1::foundation-model/"
    return orjson.dumps(
        {"modelSummaries": [{"modelArn": arn + name, "modelId": name} for name in names]}
    )


def _reply(row: str, body: bytes, plan: Plan) -> dict[str, Any]:
    reply = read(row, plan, _forced_tool(body))
    reason = "tool_calls" if reply.calls else plan.finish_reason
    tokens = len(body) // 4
    return {
        "output": {"message": {"role": "assistant", "content": _blocks(reply)}},
        "stopReason": _STOP_REASONS.get(reason, reason),
        "usage": {"inputTokens": tokens, "outputTokens": 5, "totalTokens": tokens + 5},
        "metrics": {"latencyMs": 1},
    }


def _forced_tool(body: bytes) -> str | None:
    choice = orjson.loads(body).get("toolConfig", {}).get("toolChoice", {})
    return choice["tool"]["name"] if "tool" in choice else None


def _blocks(reply: ModelReply) -> list[dict[str, Any]]:
    reasoning = {"reasoningText": {"text": reply.reasoning, "signature": "c2lnbmVk"}}
    calls = [
        {"toolUse": {"toolUseId": call_id, "name": name, "input": arguments}}
        for call_id, name, arguments in reply.calls
    ]
    return [
        *([{"reasoningContent": reasoning}] if reply.reasoning else ()),
        *([{"text": reply.text}] if reply.text else ()),
        *calls,
    ]


def _events(row: str, body: bytes, plan: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    whole = _reply(row, body, plan)
    words = read(row, plan, None).words
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(whole["output"]["message"]["content"]):
        at = {"contentBlockIndex": index}
        for kind, fields in _pieces(block, words):
            yield kind, at | fields
        yield "contentBlockStop", at
    yield "messageStop", {"stopReason": whole["stopReason"]}
    yield "metadata", {"usage": whole["usage"], "metrics": whole["metrics"]}


def _pieces(block: dict[str, Any], words: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    if "text" in block:
        deltas: list[dict[str, Any]] = [{"text": word} for word in words]
    elif "reasoningContent" in block:
        text = block["reasoningContent"]["reasoningText"]
        deltas = [{"reasoningContent": {name: value}} for name, value in text.items()]
    else:
        call = dict(block["toolUse"])
        text = orjson.dumps(call.pop("input")).decode()
        yield "contentBlockStart", {"start": {"toolUse": call}}
        deltas = [{"toolUse": {"input": part}} for part in (text[:3], text[3:])]
    for delta in deltas:
        yield "contentBlockDelta", {"delta": delta}
