"""Bodies in the shape of OpenAI's completions API, the one without chats. Pure functions."""

from __future__ import annotations

import re
from typing import Any

import orjson

from tests.fault_server import bodies
from tests.fault_server.plan import Plan

STREAM_TYPE = bodies.STREAM_TYPE

error, error_event, wrong_choices = bodies.error, bodies.error_event, bodies.wrong_choices


def completion(row: str, body: bytes, plan: Plan) -> bytes:
    """The good answer."""
    asked = orjson.loads(body)
    words = _words(row, plan)
    choice = _choice(words, plan.finish_reason, asked.get("logprobs"))
    usage = orjson.loads(bodies.usage(body, plan))
    return orjson.dumps({**_facts(asked), "choices": [choice], "usage": usage})


def events(row: str, body: bytes, plan: Plan) -> list[bytes]:
    """The events of a streamed answer, a word each."""
    asked = orjson.loads(body)
    chunks = [[_choice([word], None, asked.get("logprobs"))] for word in _words(row, plan)]
    chunks.append([_choice([], plan.finish_reason, None)])
    values: list[dict[str, Any]] = [{**_facts(asked), "choices": one} for one in chunks]
    if (asked.get("stream_options") or {}).get("include_usage"):
        usage = orjson.loads(bodies.usage(body, plan))
        values.append({**_facts(asked), "choices": [], "usage": usage})
    return [b"data: " + orjson.dumps(one) + b"\n\n" for one in values] + [b"data: [DONE]\n\n"]


def _facts(asked: dict[str, Any]) -> dict[str, Any]:
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": asked["model"]}


def _words(row: str, plan: Plan) -> list[str]:
    return re.findall(r"\s*\S+", plan.message.get("content", f" answer to {row}"))


def _choice(words: list[str], finish_reason: str | None, top: int | None) -> dict[str, Any]:
    choice = {"index": 0, "text": "".join(words), "finish_reason": finish_reason, "logprobs": None}
    if top is not None and words:
        likeliest = [{word: -0.5, "other": -2.0} if top else None for word in words]
        logprobs = {"tokens": words, "token_logprobs": [-0.5] * len(words)}
        offsets = [0] * len(words)
        choice["logprobs"] = {**logprobs, "top_logprobs": likeliest, "text_offset": offsets}
    return choice
