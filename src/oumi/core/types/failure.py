"""Why a row has no answer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from oumi.core.types.completion import Structured, Usage
from oumi.errors import AccessError, RequestError, StructuredOutputError


class InferenceErrorType(StrEnum):
    """What kind of thing went wrong."""

    API_STATUS = "api_status"
    """The server answered with a status that is no success."""
    CONNECTION = "connection"
    """No whole reply came from the server."""
    CONFIG = "config"
    """The settings, the key or the row would have to be others."""
    PARSE_ERROR = "parse_error"
    """There is an answer, but it cannot be read, or does not have the structure asked for."""
    ENGINE_FAILURE = "engine_failure"
    """The engine itself is broken, or the disk is."""
    RUNTIME = "runtime"
    """Anything else that happened while the row was worked on, such as the end of its batch."""
    UNKNOWN = "unknown"
    """Nothing is known of it."""


_TYPES = {
    InferenceErrorType.CONNECTION: (
        *("UnavailableError", "TransportError", "ConnectError", "TransportTimeoutError"),
        *("OutputNotReadyError", "OutputCutError"),
    ),
    InferenceErrorType.CONFIG: (
        *("RequestError", "ConfigError", "UnsupportedError", "InputError", "ModelNotFoundError"),
        *("OutputExistsError", "AccessError", "MissingDependencyError", "UnknownBatchError"),
        "ContextLengthError",
        "BudgetError",
    ),
    InferenceErrorType.PARSE_ERROR: (
        *("StructuredOutputError", "UnreadableAnswerError", "BadReplyError", "PageError"),
    ),
    InferenceErrorType.ENGINE_FAILURE: ("EngineError", "StorageError"),
    InferenceErrorType.UNKNOWN: ("",),
}
_TYPE_OF = {name: kind for kind, names in _TYPES.items() for name in names}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a row has no answer."""

    error_class: str
    """Name of the error's class, such as `UnavailableError`, or what became of a row's batch, such
    as `BatchExpired`."""
    error_message: str
    status_code: int | None = None
    """HTTP status of the last reply, if there was one."""
    is_retryable: bool = False
    """Whether the same request may succeed later."""
    attempts: int = 1
    """How many tries were made, the first one included."""
    reply: str | None = None
    """Text of an answer that was paid for but could not be read or is not valid, or of a reply
    that held none."""
    usage: Usage | None = None
    """Tokens that were paid for nevertheless."""
    structured: Structured | None = None
    """`failed` if no answer had the structure that was asked for."""

    @property
    def error_type(self) -> InferenceErrorType:
        """What kind of thing went wrong."""
        # The status of an input is that of a picture's server, say; 200 is that of a page of HTML.
        if self.status_code not in (None, 200) and self.error_class != "InputError":
            return InferenceErrorType.API_STATUS
        return _TYPE_OF.get(self.error_class, InferenceErrorType.RUNTIME)

    @classmethod
    def from_error(cls, error: Exception, attempts: int = 1) -> Failure:
        """The failure of a row that `error` has ended."""
        return cls(
            type(error).__name__,
            str(error) or repr(error),
            getattr(error, "status", None),
            getattr(error, "retryable", False),
            attempts,
            getattr(error, "reply", None),
            getattr(error, "usage", None),
            Structured.FAILED if isinstance(error, StructuredOutputError) else None,
        )

    @classmethod
    def not_asked(cls, reason: Exception) -> Failure:
        """Of a row that was not asked, or not answered, because `reason` ended the run.

        It may succeed later, unless something else would end the next run for the same reason.
        """
        return cls(
            type(reason).__name__,
            f"the run ended before this row had an answer: {reason}",
            getattr(reason, "status", None),
            is_retryable=not isinstance(reason, RequestError | AccessError),
            attempts=0,
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.usage is not None:
            data["usage"] = self.usage.to_dict()
        data = {name: value for name, value in data.items() if value is not None}
        return {"error_type": self.error_type.value, **data}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Failure:
        """The reverse of `to_dict`. In version 0.1 the class was the `error_type`."""
        values = dict(data)
        error_type = values.pop("error_type", "")
        values.setdefault("error_class", error_type)
        if "usage" in values:
            values["usage"] = Usage.from_dict(values["usage"])
        if "structured" in values:
            values["structured"] = Structured(values["structured"])
        return cls(**values)


class FailedRow(int):
    """The number of a row that failed, counted from 0, which also knows why it did."""

    _failures: Mapping[int, Failure]

    @classmethod
    def of(cls, row: int, failures: Mapping[int, Failure]) -> Self:
        """The failure itself is looked up when it is asked for."""
        number = cls(row)
        number._failures = failures
        return number

    @property
    def index(self) -> int:
        """The bare number."""
        return int(self)

    @property
    def failure(self) -> Failure:
        """Why the row has no answer."""
        return self._failures[self]

    @property
    def error(self) -> str:
        """The error message of the failure."""
        return self.failure.error_message


class Failures(Mapping[int, Failure]):
    """The failures of a run by row, in input order. What it iterates over is a `FailedRow` each."""

    def __iter__(self) -> Iterator[FailedRow]:
        for row in self._rows():
            yield FailedRow.of(row, self)

    @abstractmethod
    def _rows(self) -> Iterable[int]:
        """The numbers of the rows that failed, in order."""


class FailuresInMemory(Failures):
    """Those that a dict holds."""

    def __init__(self, failures: Mapping[int, Failure]):
        self._by_row = {int(row): failures[row] for row in sorted(failures)}

    def __len__(self) -> int:
        return len(self._by_row)

    def __getitem__(self, row: int) -> Failure:
        return self._by_row[row]

    def __repr__(self) -> str:
        return repr(self._by_row)

    def _rows(self) -> Iterable[int]:
        return self._by_row
