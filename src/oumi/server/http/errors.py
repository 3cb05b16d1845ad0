"""What an error means to a client: a status, a code, and whether to come again."""

from __future__ import annotations

from oumi.core.logs import logger
from oumi.errors import (
    AccessError,
    BudgetError,
    ContextLengthError,
    EngineError,
    ModelNotFoundError,
    OumiError,
    RequestError,
    StructuredOutputError,
    UnavailableError,
)

QUOTA = "insufficient_quota"
"""The code for a key that has spent its budget: to come again soon does not help."""
_LEAST_WAIT_S = 1.0
"""A client that comes back at once would be refused again."""


_REPLIES: tuple[tuple[type[OumiError], int, str | None], ...] = (
    (BudgetError, 429, QUOTA),
    (StructuredOutputError, 422, "invalid_structured_output"),
    (ModelNotFoundError, 502, "upstream_model_not_found"),
    (RequestError, 400, None),
    # The key is the server's own, so that the client has none to correct.
    (AccessError, 502, "upstream_access_denied"),
    (EngineError, 500, "engine_error"),
    (OumiError, 502, "unreadable_answer"),
)
"""The status and the code of an error: those of the first class that it is of."""


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
    if isinstance(error, HttpError):
        return error
    if isinstance(error, UnavailableError):
        return _unavailable(error)
    if isinstance(error, ContextLengthError):
        return HttpError(400, str(error), code="context_length_exceeded", param="messages")
    for kind, status, code in _REPLIES:
        if isinstance(error, kind):
            return HttpError(status, str(error), code=code, wait_s=error.wait_s)
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
