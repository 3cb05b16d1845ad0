"""Errors of responses: as all of OpenAI's, but for those in a stream.

https://platform.openai.com/docs/api-reference/responses-streaming/error
"""

from __future__ import annotations

from oumi.core.json_text import write_json
from oumi.server.http.endpoint import ErrorForm
from oumi.server.http.errors import HttpError
from oumi.server.openai_errors import error_body, error_object


def error_event(error: HttpError, request_id: str) -> bytes:
    """An event in a stream. Official clients raise what has an `error`, as in all other streams;
    what the fields beside it say, the documentation of this event asks for.
    """
    facts = {"type": "error", "code": error.code, "message": error.message, "param": error.param}
    event = write_json({**facts, "error": error_object(error, request_id)})
    return b"event: error\ndata: " + event + b"\n\n"


RESPONSES_ERRORS = ErrorForm(error_body, error_event)
