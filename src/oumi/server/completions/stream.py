"""Completions as a stream of chunks.

https://platform.openai.com/docs/api-reference/completions/create
"""

from __future__ import annotations

from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion, Delta, Usage
from oumi.server.completions.reply import encode_choice, reply_facts
from oumi.server.completions.request import echoed
from oumi.server.openai_chat.reply import encode_usage
from oumi.server.query import Query


class CompletionStream:
    """Writes the chunks of one reply, which may hold several answers side by side."""

    def __init__(self, query: Query, model: str):
        self._query = query
        self._facts = reply_facts(model)
        self._begun: set[int] = set()

    def start(self) -> bytes:
        """Nothing: a stream begins with the first part of an answer."""
        return b""

    def add(self, sample: int, delta: Delta) -> bytes:
        """The chunk of a part, after that with the prompt where it is wanted. The last one of an
        answer has its log-probabilities.
        """
        text = delta.content
        if sample not in self._begun:
            self._begun.add(sample)
            text = echoed(self._query, sample) + text
        chunks = self._chunk(sample, text, None) if text else b""
        if delta.completion is not None:
            chunks += self._chunk(sample, "", delta.completion)
        return chunks

    def end(self, usage: Usage) -> bytes:
        """The tokens, where they are asked for, and the mark of the end."""
        done = b"data: [DONE]\n\n"
        if not self._query.shows_usage:
            return done
        last = {**self._facts, "choices": [], "usage": encode_usage(usage)}
        return b"data: " + write_json(last) + b"\n\n" + done

    def _chunk(self, sample: int, text: str, completion: Completion | None) -> bytes:
        chunk = {**self._facts, "choices": [encode_choice(sample, text, completion)]}
        return b"data: " + write_json(chunk) + b"\n\n"
