"""Bodies in the shape of OpenAI's chat API. Pure functions."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import orjson

from tests.fault_server.plan import Plan

STREAM_TYPE = "text/event-stream"

_ROW = re.compile(rb"row-\d+")
_MODEL = re.compile(rb'"model": ?"([\w./:-]*)"')
_COMPLETION = (
    b'{"id":"chatcmpl-%b","object":"chat.completion","created":1790000000,"model":"%b",'
    b'"choices":[{"index":0,"message":%b,"logprobs":null,"finish_reason":"%b"}],"usage":%b,'
    b'"service_tier":"default","system_fingerprint":"fp_fault"}'
)
_USAGE = (
    b'{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d,'
    b'"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},'
    b'"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}'
)
_ERRORS = {
    400: ("context_length_exceeded", "This model's maximum context length is 8192 tokens."),
    401: ("invalid_api_key", "Incorrect API key provided."),
    403: ("unsupported_country_region_territory", "Country, region, or territory not supported."),
    404: ("model_not_found", "The model `gpt-nope` does not exist or you do not have access."),
    429: ("rate_limit_exceeded", "Rate limit reached for requests."),
    503: ("overloaded", "The engine is currently overloaded, please try again later."),
    529: ("overloaded_error", "Overloaded"),
}
_QUOTA = "You exceeded your current quota, please check your plan and billing details."


def row_name(body: bytes) -> str:
    """Which row a request is of."""
    found = _ROW.findall(body)
    if found:
        return str(found[-1], "ascii")
    try:
        asked = orjson.loads(body)
        messages = asked.get("messages") or asked["input"]
        return _text([m["content"] for m in messages if m.get("role") == "user"][-1])
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return "unnamed"


def seed(body: bytes) -> int | None:
    """The seed of a request."""
    found: int | None = orjson.loads(body).get("seed")
    return found


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def completion(row: str, body: bytes, plan: Plan) -> bytes:
    """The good answer."""
    message = {"role": "assistant", "content": f"answer to {row}", "refusal": None, **plan.message}
    found = _MODEL.search(body)
    model = found[1] if found else b""
    name = f"{len(row)}-{row[:40]}".encode("ascii", "replace").replace(b'"', b"_")
    return _COMPLETION % (
        name.replace(b"\\", b"_"),
        model,
        orjson.dumps(message),
        plan.finish_reason.encode(),
        usage(body, plan),
    )


def usage(body: bytes, plan: Plan) -> bytes:
    """Token counts that follow from the request."""
    prompt, completion = tokens(body, plan)
    return _USAGE % (prompt, completion, prompt + completion)


def tokens(body: bytes, plan: Plan) -> tuple[int, int]:
    """Of the prompt, by its length, and of the answer, as the plan says."""
    low, high = plan.answer_tokens
    chosen = low if low == high else low + crc32(body) % (high - low + 1)
    return len(body) // 4, chosen


def events(row: str, body: bytes, plan: Plan) -> list[bytes]:
    """The events of a streamed answer, a word each."""
    values = plan.events or list(_deltas(row, body, plan))
    return [_event(value) for value in values] + [b"data: [DONE]\n\n"]


def _deltas(row: str, body: bytes, plan: Plan) -> Iterator[dict[str, Any]]:
    yield _chunk({"role": "assistant", "content": ""})
    text = plan.message.get("content", f"answer to {row}")
    for word in re.findall(r"\s*\S+\s*", text or ""):
        yield _chunk({"content": word})
    yield _chunk({}, plan.finish_reason)
    if b'"include_usage"' in body:
        yield {**_chunk({}), "choices": [], "usage": orjson.loads(usage(body, plan))}


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-stream",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": "oumi-tiny",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


def _event(value: Any) -> bytes:
    data = value.encode() if isinstance(value, str) else orjson.dumps(value)
    return b"data: " + data + b"\n\n"


def error(code: int, name: str | None = None) -> bytes:
    """What OpenAI says with a status."""
    usual, text = _ERRORS.get(code, ("server_error", "The server had an error."))
    if name == "insufficient_quota":
        text = _QUOTA
    name = name or usual
    value = {"message": text, "type": name, "param": None, "code": name}
    return orjson.dumps({"error": value})


def error_event() -> bytes:
    """An error inside a stream."""
    return b"data: " + error(500) + b"\n\n"


def wrong_choices(variant: str, good: bytes) -> bytes:
    """JSON that is no completion."""
    value = orjson.loads(good)
    match variant:
        case "no_choices":
            del value["choices"]
        case "empty":
            value["choices"] = []
        case "null_content":
            value["choices"][0]["message"]["content"] = None
        case "null_message":
            value["choices"][0]["message"] = None
        case "list":
            value = [value]
        case _:
            raise ValueError(f"unknown variant {variant!r}")
    return orjson.dumps(value)


def models(names: list[str]) -> bytes:
    """The list of models, in the words of OpenAI and of Anthropic."""
    openai = {"object": "model", "created": 1790000000, "owned_by": "oumi"}
    anthropic = {"type": "model", "created_at": "2026-09-21T00:00:00Z", "lifecycle": "active"}
    data = [{"id": name, "display_name": name, **openai, **anthropic} for name in names]
    return orjson.dumps({"object": "list", "data": data, "has_more": False})


def token(number: int, plan: Plan) -> bytes:
    """The token that a service account of Google's gets, or a machine of Azure's."""
    value = {
        "access_token": f"token-{number}",
        "expires_in": plan.token_s,
        "expires_on": str(int(time.time()) + plan.token_s),
        "token_type": "Bearer",
    }
    return orjson.dumps(value)
