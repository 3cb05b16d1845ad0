"""The state of a batch job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any


class BatchStatus(StrEnum):
    """The stages of a batch job, by the words of OpenAI's API. Text in upper case is taken too."""

    VALIDATING = "validating"
    """Its input is being checked, or it is queued."""

    IN_PROGRESS = "in_progress"
    """Its requests are being answered, or their results are being collected."""

    FINALIZING = "finalizing"
    """All requests have ended, and the provider is writing the results."""

    COMPLETED = "completed"
    """All requests have ended; single ones may have failed."""

    FAILED = "failed"
    """The job failed as a whole."""

    EXPIRED = "expired"
    """Its completion window ended before all requests were answered."""

    CANCELLING = "cancelling"
    """It was asked to stop; what is being answered may still end."""

    CANCELLED = "cancelled"
    """It was stopped before all requests were answered."""

    @classmethod
    def _missing_(cls, value: object) -> BatchStatus | None:
        if isinstance(value, str) and value != value.lower():
            return cls(value.lower())
        return None

    @property
    def is_terminal(self) -> bool:
        """Whether the status will not change any more."""
        return self in _TERMINAL


_TERMINAL = frozenset(
    {BatchStatus.COMPLETED, BatchStatus.FAILED, BatchStatus.EXPIRED, BatchStatus.CANCELLED}
)


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """A batch job at one moment. Times are in UTC, None where they are not known."""

    id: str
    status: BatchStatus
    total_requests: int = 0
    completed_requests: int = 0
    failed_requests: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    """When it ended, however it ended."""
    expires_at: datetime | None = None
    errors: tuple[str, ...] = ()
    """Why the job, or one of its parts, failed as a whole."""
    provider_status: str = ""
    """The status as the provider calls it."""
    parts: int = 1
    """How many batches of the provider the job is split into."""
    engine: str = ""

    def __repr__(self) -> str:
        done = f"{self.completed_requests:,}/{self.total_requests:,} done"
        failed = f", {self.failed_requests:,} failed" if self.failed_requests else ""
        return f"BatchInfo({self.id}: {self.status}, {done}{failed})"

    def _repr_html_(self) -> str:
        from oumi.core.types.html_view import table_html

        facts = self.to_dict().items()
        known = [(name, str(value)) for name, value in facts if value not in (None, "", [])]
        return table_html(("batch job", ""), known)

    @property
    def is_terminal(self) -> bool:
        """Whether the job has ended, so that its status will not change any more."""
        return self.status.is_terminal

    @property
    def completion_percentage(self) -> float:
        """How much of the job has ended, from 0 to 100; 0 while its size is not known."""
        ended = self.completed_requests + self.failed_requests
        return 100.0 * ended / self.total_requests if self.total_requests else 0.0

    @property
    def has_errors(self) -> bool:
        """Whether any request has failed, or the job as a whole."""
        return self.failed_requests > 0 or bool(self.errors)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, times in ISO 8601."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: _plain(value) for name, value in values.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> BatchInfo:
        """The reverse of `to_dict`."""
        values = dict(data)
        for name in _TIMES:
            values[name] = values[name] and datetime.fromisoformat(values[name])
        values["status"] = BatchStatus(values["status"])
        values["errors"] = tuple(values["errors"])
        return cls(**values)


_TIMES = ("created_at", "started_at", "completed_at", "expires_at")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
