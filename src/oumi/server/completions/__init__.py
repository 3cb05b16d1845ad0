"""OpenAI's completions of a prompt as it is, without a chat template.

https://platform.openai.com/docs/api-reference/completions
"""

from __future__ import annotations

from oumi.server.completions.reply import encode_reply
from oumi.server.completions.request import read_query
from oumi.server.completions.stream import CompletionStream
from oumi.server.openai_errors import OPENAI_ERRORS
from oumi.server.query import Answer, Query


class CompletionsApi:
    """The form of `/v1/completions`."""

    errors = OPENAI_ERRORS

    def read(self, body: bytes) -> Query:
        """The query in the body of a request. Raises HttpError, which names the field."""
        return read_query(body)

    def reply(self, query: Query, answer: Answer) -> bytes:
        """The body of a reply."""
        return encode_reply(query, answer)

    def stream(self, query: Query, model: str) -> CompletionStream:
        """What writes the reply as a stream."""
        return CompletionStream(query, model)
