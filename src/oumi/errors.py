"""Everything that oumi raises, split by what the caller can do about it.

OumiError
├── RequestError                  change the request or the settings
│   ├── ConfigError               a setting with a wrong name, type or value
│   ├── UnsupportedError          the engine does not support a setting or a kind of content
│   ├── InputError                a file or a row that cannot be read
│   ├── ModelNotFoundError        no such model here or at the provider
│   ├── ContextLengthError        prompt and answer do not fit into the model's context
│   ├── StructuredOutputError     the answer does not have the structure that was asked for
│   └── OutputExistsError         the output file belongs to another run
├── AccessError                   correct the key, the rights or the quota
├── BudgetError                   raise the budget: a limit on cost, tokens or rows is reached
├── UnavailableError              wait and try again: overload, time-out, rate limit
├── EngineError                   stop: the engine itself is broken
│   ├── MissingDependencyError    the runtime is not installed
│   └── StorageError              an answer cannot be recorded
└── InferenceError                some rows failed; carries every answer and every reason

This module imports nothing else of oumi, so that everything else can raise its errors.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

# After these statuses fewer requests are sent at once: 429 too many requests, 503 unavailable,
# 529 overloaded (https://docs.anthropic.com/en/api/errors), 408 and 425 not served in time.
OVERLOADED = frozenset({408, 425, 429, 503, 529})
# With these the server says itself that it would answer later.
_BUSY = frozenset({429, 503, 529})


class OumiError(Exception):
    """Base of all errors of this package."""

    exit_code: ClassVar[int] = 1
    """What the command line exits with."""

    ends_run: bool = False
    """Whether no other row of the run can succeed either."""

    is_of_row: bool
    """Whether it is likely to be about one row, although it may be about all."""

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later."""

    costs_no_try: ClassVar[bool] = False
    """Whether the request is sent again at once, however often: what had sent it is gone."""

    status: int | None
    """HTTP status of the reply; None where there was no reply."""

    wait_s: float | None
    """Seconds to wait before the next try, where the server named them."""

    result: Any = None
    """Where the error ended a run: all rows, answered, failed or not asked, as
    `oumi.core.types.InferenceResult`."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        wait_s: float | None = None,
        ends_run: bool | None = None,
        is_of_row: bool = False,
    ):
        super().__init__(message)
        self.status = status
        self.wait_s = wait_s
        self.is_of_row = is_of_row
        if ends_run is not None:  # otherwise what its class says
            self.ends_run = ends_run

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with all that it knows, so that it comes whole out of another process."""
        return _rebuilt, (type(self), self.args, vars(self))


class RequestError(OumiError):
    """The request cannot succeed unchanged; other rows may."""

    exit_code = 2


class ConfigError(RequestError, ValueError):
    """A setting with a wrong name, type or value."""

    ends_run = True


class UnsupportedError(RequestError):
    """The engine does not support a setting or a kind of content."""


class InputError(RequestError, ValueError):
    """A file or a row that cannot be read as conversations."""


class ModelNotFoundError(RequestError):
    """The model is neither on this machine nor known to the provider."""

    ends_run = True


class ContextLengthError(RequestError):
    """Prompt and answer do not fit into the model's context."""


class StructuredOutputError(RequestError):
    """No answer has the structure that was asked for, such as a JSON schema."""

    reply: str
    """Text of the last answer."""

    usage: Any
    """Tokens of all answers to the request together, as `oumi.core.types.Usage`."""

    def __init__(self, message: str, reply: str, usage: Any):
        super().__init__(message)
        self.reply = reply
        self.usage = usage


class OutputExistsError(RequestError):
    """The output file exists and belongs to another run."""

    ends_run = True


class AccessError(OumiError):
    """The key is missing or refused, rights are missing, or the quota is used up."""

    exit_code = 3
    ends_run = True


class BudgetError(OumiError):
    """A budget of the run is used up: `max_cost_usd`, `max_total_tokens` or `max_rows`. What was
    begun is finished; with a larger one the same call goes on.
    """

    exit_code = 7
    ends_run = True

    setting: str
    """The name of the setting that is reached."""

    def __init__(self, message: str, setting: str):
        super().__init__(message)
        self.setting = setting

    def add_progress(self, progress: str) -> None:
        """Have the error say besides how far the run is."""
        self.args = (f"{self}. {progress}",)


class UnavailableError(OumiError):
    """The engine could not answer now; the same request may succeed later."""

    exit_code = 4
    retryable = True

    reply: str | None = None
    """What came in place of an answer, or of it, where anything did."""

    no_reply: ClassVar[bool] = False
    """Whether no whole reply came, so that the server may be away."""

    unreachable: ClassVar[bool] = False
    """Whether the request did not even reach the server, which says nothing about its row."""

    @property
    def overload(self) -> bool:
        """Whether the server has too much to do, so that fewer requests should be sent."""
        return self.status in OVERLOADED

    @property
    def busy(self) -> bool:
        """Whether the server said that it has too much to do (429, 503, 529)."""
        return self.status in _BUSY

    @property
    def broken(self) -> bool:
        """Whether the server broke down over it, or is away: the row or the server is to blame."""
        failed = self.status is not None and self.status >= 500
        return self.no_reply or (failed and not self.busy)


class EngineError(OumiError):
    """The engine cannot go on."""

    exit_code = 5
    ends_run = True


class MissingDependencyError(EngineError, ImportError):
    """The runtime that the engine needs is not installed."""


class StorageError(EngineError, OSError):
    """An answer cannot be written to disk; what was recorded before is intact."""


class InferenceError(OumiError):
    """Some rows failed. `result` holds every answer and every failure, in input order."""

    exit_code = 6

    def __init__(self, message: str, result: Any):
        super().__init__(message)
        self.result = result


def _rebuilt(kind: type[OumiError], args: tuple[Any, ...], state: dict[str, Any]) -> OumiError:
    error = kind.__new__(kind)
    error.args = args
    vars(error).update(state)
    return error


# Names of version 0.1. They will be removed in version 0.3.
_RENAMED = {"MisfitError": "StructuredOutputError"}


def __getattr__(name: str) -> Any:
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    current = _RENAMED[name]
    warnings.warn(f"oumi.errors.{name} is now {current}", DeprecationWarning, stacklevel=2)
    return globals()[current]
