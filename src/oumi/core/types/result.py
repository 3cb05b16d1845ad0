"""The outcome of a run: the answer of each row, or why it has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from oumi.core.types.completion import Structured, Usage
from oumi.core.types.conversation import Conversation
from oumi.errors import InferenceError, OumiError, StructuredOutputError


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a row has no answer."""

    error_type: str
    """Name of the error's class, such as `UnavailableError`."""
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
        """Of a row that was not asked, or not answered, because `reason` ended the run."""
        message = f"the run ended before this row had an answer: {reason}"
        return cls(type(reason).__name__, message, is_retryable=True, attempts=0)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.usage is not None:
            data["usage"] = self.usage.to_dict()
        return {name: value for name, value in data.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Failure:
        """The reverse of `to_dict`."""
        changes: dict[str, Any] = {}
        if "usage" in data:
            changes["usage"] = Usage.from_dict(data["usage"])
        if "structured" in data:
            changes["structured"] = Structured(data["structured"])
        return cls(**{**data, **changes})


@dataclass(frozen=True)
class InferenceResult:
    """All rows of a run: `conversations[i]` answers row `rows[i]` of the input, counted from 0.

    If the answers were written to a file, each conversation is read from it when it is accessed.
    """

    conversations: Sequence[Conversation] = ()
    rows: Sequence[int] = ()
    failures: Mapping[int, Failure] = field(default_factory=dict)
    """The failed rows, by row."""

    @property
    def successful(self) -> list[tuple[int, Conversation]]:
        """Pairs of row and finished conversation, in input order."""
        return list(zip(self.rows, self.conversations, strict=True))

    @property
    def has_failures(self) -> bool:
        """Whether any row failed."""
        return len(self.failures) > 0

    @property
    def failed_indices(self) -> list[int]:
        """The rows that failed, in input order."""
        return sorted(self.failures)

    def all(self) -> Sequence[Conversation]:
        """All conversations. Raises InferenceError, which holds this result, if any row failed."""
        if self.has_failures:
            first = self.failed_indices[0]
            raise InferenceError(
                f"{len(self.failures)} of {len(self.failures) + len(self.rows)} rows failed; "
                f"row {first}: {self.failures[first].error_message}",
                self,
            )
        return self.conversations

    @property
    def error_messages(self) -> dict[int, str]:
        """The error message of each failed row, by row."""
        return {row: failure.error_message for row, failure in self.failures.items()}


def is_fatal(error: BaseException) -> bool:
    """Whether no other row of the run can succeed after this error."""
    return not isinstance(error, Exception) or (isinstance(error, OumiError) and error.ends_run)
