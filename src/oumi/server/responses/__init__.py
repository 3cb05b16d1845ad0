"""OpenAI's responses, without the part of it that keeps conversations on the server.

https://platform.openai.com/docs/api-reference/responses
"""

from __future__ import annotations

from oumi.server.query import Answer, Query
from oumi.server.responses.errors import RESPONSES_ERRORS
from oumi.server.responses.reply import encode_reply
from oumi.server.responses.request import read_query
from oumi.server.responses.stream import ResponseStream


class ResponsesApi:
    """The form of `/v1/responses`."""

    errors = RESPONSES_ERRORS

    def read(self, body: bytes) -> Query:
        """The query in the body of a request. Raises HttpError, which names the field."""
        return read_query(body)

    def reply(self, query: Query, answer: Answer) -> bytes:
        """The body of a reply."""
        return encode_reply(query, answer)

    def stream(self, query: Query, model: str) -> ResponseStream:
        """What writes the reply as a stream."""
        return ResponseStream(query, model)
