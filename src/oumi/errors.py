"""Everything that oumi raises, split by what the caller can do about it.

OumiError
├── RequestError              mend the request or the settings
│   ├── ConfigError           a wrong key, type or value in the settings
│   ├── UnsupportedError      the engine cannot honour a setting
│   ├── InputError            a row or a file that cannot be read
│   ├── ModelNotFoundError    no such model here or at the provider
│   ├── StructuredOutputError           an answer came, but not in the form asked for
│   └── OutputExistsError     a file that is not of this run stands in the way
├── AccessError               mend the key, the rights or the quota
├── UnavailableError          wait and try again: overload, time-out, rate limit
├── EngineError               stop: the engine itself is broken
│   ├── MissingDependencyError    the runtime is not installed
│   └── StorageError              an answer cannot be recorded
└── InferenceError            some rows failed; carries every answer and every reason
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from oumi.core.types.completion import InferenceResult, Usage


_OVERLOADED = frozenset({408, 425, 429, 503, 529})


class OumiError(Exception):
    """Base of all errors of this package.

    `exit_code` is what the command line ends with; `ends_run` says that no other row can
    succeed either.
    """

    exit_code: ClassVar[int] = 1
    ends_run: ClassVar[bool] = False
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, status: int | None = None, wait_s: float | None = None):
        super().__init__(message)
        self.status = status
        self.wait_s = wait_s


class RequestError(OumiError):
    """The request cannot succeed as it is; other rows may."""

    exit_code = 2


class ConfigError(RequestError, ValueError):
    """A setting with a wrong name, type or value."""

    ends_run = True


class UnsupportedError(RequestError):
    """The engine cannot honour a setting or a kind of content."""


class InputError(RequestError, ValueError):
    """A file or a row that cannot be read as conversations."""


class ModelNotFoundError(RequestError):
    """The named model is not here or not known to the provider."""

    ends_run = True


class StructuredOutputError(RequestError):
    """Answers came, none in the form asked for. `reply` is the last one, `usage` what all took."""

    def __init__(self, message: str, reply: str, usage: Usage):
        super().__init__(message)
        self.reply = reply
        self.usage = usage


class OutputExistsError(RequestError):
    """The output path holds a file that is not of this run."""

    ends_run = True


class AccessError(OumiError):
    """A missing or refused key, missing rights, or a spent quota."""

    exit_code = 3
    ends_run = True


class UnavailableError(OumiError):
    """The engine could not answer now; the same request may succeed later."""

    exit_code = 4
    retryable = True

    @property
    def overload(self) -> bool:
        """Whether it means that the server has too much to do."""
        return self.status in _OVERLOADED


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

    def __init__(self, message: str, result: InferenceResult):
        super().__init__(message)
        self.result = result
