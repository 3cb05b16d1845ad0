"""Anthropic's messages.

https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from oumi.server.anthropic.errors import ANTHROPIC_ERRORS
from oumi.server.anthropic.reply import encode_reply
from oumi.server.anthropic.request import read_query
from oumi.server.anthropic.stream import MessageStream
from oumi.server.query import Answer, Query


class MessagesApi:
    """The form of `/v1/messages`."""

    errors = ANTHROPIC_ERRORS

    def read(self, body: bytes) -> Query:
        """The query in the body of a request. Raises HttpError, which names the field."""
        return read_query(body)

    def reply(self, query: Query, answer: Answer) -> bytes:
        """The body of a reply."""
        return encode_reply(answer)

    def stream(self, query: Query, model: str) -> MessageStream:
        """What writes the reply as a stream."""
        return MessageStream(model)
