"""What an error means to a client: a status, a code, and whether to come again."""

from __future__ import annotations

from oumi.core.logs import logger
from oumi.errors import (
    AccessError,
    ContextLengthError,
    EngineError,
    ModelNotFoundError,
    OumiError,
    RequestError,
    StructuredOutputError,
    UnavailableError,
)

_LEAST_WAIT_S = 1.0
"""A client that comes back at once would be refused again."""


class HttpError(Exception):
    """A reply that is no answer. `param` is the field of the request that is wrong."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        wait_s: float | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.wait_s = wait_s


def wrong_field(param: str | None, message: str) -> HttpError:
    """A field of the request that has to be another one, or not there."""
    return HttpError(400, f"{param}: {message}" if param else message, param=param)


def to_http_error(error: Exception) -> HttpError:
    """The reply for an error of the engine. What is no error of ours is logged, and not shown."""
    match error:
        case HttpError():
            return error
        case UnavailableError():
            return _unavailable(error)
        case ContextLengthError():
            return HttpError(400, str(error), code="context_length_exceeded", param="messages")
        case StructuredOutputError():
            return HttpError(422, str(error), code="invalid_structured_output")
        case ModelNotFoundError():
            return HttpError(502, str(error), code="upstream_model_not_found")
        case RequestError():
            return HttpError(400, str(error))
        case AccessError():  # the key is the server's own, so that the client has none to correct
            return HttpError(502, str(error), code="upstream_access_denied")
        case EngineError():
            return HttpError(500, str(error), code="engine_error")
        case OumiError():
            return HttpError(502, str(error), code="unreadable_answer")
    logger.error("a bug in oumi", exc_info=error)
    return HttpError(500, "the server failed; its log says why")


def may_fall_back(error: Exception) -> bool:
    """Whether another model may answer what this one did not: it is away or has too much to do, its
    quota is spent, or its context is too short.
    """
    return isinstance(error, UnavailableError | AccessError | ContextLengthError)


def _unavailable(error: UnavailableError) -> HttpError:
    wait_s = max(error.wait_s or 0.0, _LEAST_WAIT_S)
    if error.status == 429:
        return HttpError(429, str(error), code="rate_limit_exceeded", wait_s=wait_s)
    return HttpError(503, str(error), code="unavailable", wait_s=wait_s)
