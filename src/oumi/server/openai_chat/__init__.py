"""OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from oumi.server.openai_chat.reply import encode_reply
from oumi.server.openai_chat.request import read_query
from oumi.server.openai_chat.stream import ChatStream
from oumi.server.openai_errors import OPENAI_ERRORS
from oumi.server.query import Answer, Query


class ChatApi:
    """The form of `/v1/chat/completions`."""

    errors = OPENAI_ERRORS

    def read(self, body: bytes) -> Query:
        """The query in the body of a request. Raises HttpError, which names the field."""
        return read_query(body)

    def reply(self, query: Query, answer: Answer) -> bytes:
        """The body of a reply."""
        return encode_reply(answer)

    def stream(self, query: Query, model: str) -> ChatStream:
        """What writes the reply as a stream."""
        return ChatStream(model, shows_usage=query.shows_usage)
