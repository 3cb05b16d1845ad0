"""Replies with embeddings.

https://platform.openai.com/docs/api-reference/embeddings/object
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from oumi.core.json_text import write_json
from oumi.core.types.embedding import Embeddings, Vector, to_base64


def encode_reply(model: str, found: Embeddings, *, is_base64: bool) -> bytes:
    """The body of a reply."""
    encode: Callable[[Vector], str | list[float]] = to_base64 if is_base64 else array.tolist
    tokens = found.usage.prompt_tokens
    reply = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": encode(vector)}
            for index, vector in enumerate(found.vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return write_json(reply)
