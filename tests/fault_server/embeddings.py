"""Bodies in the shape of OpenAI's embeddings API. Pure functions."""

from __future__ import annotations

from base64 import b64encode
from hashlib import blake2b
from struct import pack

import orjson

from tests.fault_server import bodies
from tests.fault_server.plan import Plan

STREAM_TYPE = bodies.STREAM_TYPE

error, error_event, events = bodies.error, bodies.error_event, bodies.events

_USUAL_LENGTH = 4


def texts(body: bytes) -> list[str]:
    """What is to be embedded."""
    given: str | list[str] = orjson.loads(body)["input"]
    return [given] if isinstance(given, str) else given


def vector(text: str, length: int = _USUAL_LENGTH) -> list[float]:
    """The vector of a text: another one for each, of numbers that 32 bits hold exactly."""
    return [byte / 256 - 0.5 for byte in blake2b(text.encode(), digest_size=length).digest()]


def completion(row: str, body: bytes, plan: Plan) -> bytes:
    """The good answer."""
    asked = orjson.loads(body)
    length = asked.get("dimensions") or asked.get("output_dimension") or _USUAL_LENGTH
    is_packed = asked.get("encoding_format") == "base64"
    data = []
    for index, text in enumerate(texts(body)):
        numbers = vector(text, length)
        packed = b64encode(pack(f"<{length}f", *numbers)).decode()
        entry = {"object": "embedding", "index": index}
        data.append(entry | {"embedding": packed if is_packed else numbers})
    tokens = sum(len(text) // 4 + 1 for text in texts(body))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    # Not all servers keep to the order.
    reply = {"object": "list", "model": asked["model"], "data": data[::-1], "usage": usage}
    return orjson.dumps(reply)


def wrong_choices(variant: str, good: bytes) -> bytes:
    """JSON that lacks a vector."""
    value = orjson.loads(good)
    value["data"] = [] if variant == "empty" else value["data"][1:]
    return orjson.dumps(value)
