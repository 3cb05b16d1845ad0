"""Errors in the form of Anthropic's API.

https://platform.claude.com/docs/en/api/errors
"""

from __future__ import annotations

from oumi.core.json_text import write_json
from oumi.server.http.endpoint import ErrorForm
from oumi.server.http.errors import QUOTA, HttpError

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def error_body(error: HttpError, request_id: str) -> bytes:
    """The body of a reply."""
    usual = "invalid_request_error" if error.status < 500 else "api_error"
    kind = "billing_error" if error.code == QUOTA else _TYPES.get(error.status, usual)
    found = {"type": kind, "message": error.message}
    return write_json({"type": "error", "error": found, "request_id": request_id})


def error_event(error: HttpError, request_id: str) -> bytes:
    """An event in a stream: official clients raise it."""
    return b"event: error\ndata: " + error_body(error, request_id) + b"\n\n"


ANTHROPIC_ERRORS = ErrorForm(error_body, error_event)
