"""Errors in the form of OpenAI's API.

https://platform.openai.com/docs/guides/error-codes
"""

from __future__ import annotations

from typing import Any

from oumi.core.json_text import write_json
from oumi.server.http.endpoint import ErrorForm
from oumi.server.http.errors import QUOTA, HttpError

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def error_body(error: HttpError, request_id: str) -> bytes:
    """The body of a reply."""
    return write_json({"error": error_object(error, request_id)})


def error_event(error: HttpError, request_id: str) -> bytes:
    """An event in a stream: official clients raise it."""
    return b"data: " + error_body(error, request_id) + b"\n\n"


def error_object(error: HttpError, request_id: str) -> dict[str, Any]:
    """What is said of an error."""
    usual = "invalid_request_error" if error.status < 500 else "server_error"
    return {
        "message": error.message,
        "type": QUOTA if error.code == QUOTA else _TYPES.get(error.status, usual),
        "param": error.param,
        "code": error.code,
        "request_id": request_id,
    }


OPENAI_ERRORS = ErrorForm(error_body, error_event)
