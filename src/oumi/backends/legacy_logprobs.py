"""Log-probabilities in the form of OpenAI's completions, and in that of its chat completions.

https://platform.openai.com/docs/api-reference/completions/object
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any


def from_legacy(legacy: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a completion in the form that all answers here have. Raises LookupError, TypeError
    or ValueError for what is none.
    """
    tokens, logprobs = legacy["tokens"], legacy["token_logprobs"]
    tops = legacy.get("top_logprobs") or [{}] * len(tokens)
    content = [
        {**_entry(token, logprob), "top_logprobs": [_entry(*one) for one in (top or {}).items()]}
        for token, logprob, top in zip(tokens, logprobs, tops, strict=True)
    ]
    return {"content": content}


def to_legacy(content: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The entries of an answer as a completion has them."""
    entries = list(content)
    tokens = [entry["token"] for entry in entries]
    offsets = accumulate(map(len, tokens), initial=0)
    return {
        "tokens": tokens,
        "token_logprobs": [entry["logprob"] for entry in entries],
        "top_logprobs": [
            {one["token"]: one["logprob"] for one in entry.get("top_logprobs") or ()}
            for entry in entries
        ],
        "text_offset": list(offsets)[:-1],
    }


def _entry(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
