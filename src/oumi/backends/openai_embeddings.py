"""OpenAI's embeddings: what servers are asked, and how their replies are read.

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from oumi.backends.openai_reply import decode_usage
from oumi.core.types.embedding import Embeddings, Vector, from_base64, new_vector


def decode_embeddings(data: Mapping[str, Any], count: int) -> Embeddings:
    """The vectors of `count` texts in a reply, whether as numbers or in base64.

    Raises LookupError, TypeError or ValueError where they are not all there.
    """
    entries = data["data"]
    if all("index" in entry for entry in entries):  # not all servers keep to the order
        entries = sorted(entries, key=itemgetter("index"))
    vectors = [_vector(entry["embedding"]) for entry in entries]
    if len(vectors) != count:
        raise ValueError(f"{len(vectors)} vectors for {count} texts")
    return Embeddings(vectors, decode_usage(data.get("usage")))


def _vector(value: Any) -> Vector:
    vector = from_base64(value) if isinstance(value, str) else new_vector(value)
    if not vector:
        raise ValueError("a vector without numbers")
    return vector
