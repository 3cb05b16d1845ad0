"""What is kept of a file and of a batch, and how each is shown.

https://platform.openai.com/docs/api-reference/files/object
https://platform.openai.com/docs/api-reference/batch/object
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.server.batches.folder import Facts

_TIMES = {
    BatchStatus.COMPLETED: "completed_at",
    BatchStatus.FAILED: "failed_at",
    BatchStatus.EXPIRED: "expired_at",
    BatchStatus.CANCELLED: "cancelled_at",
}


@dataclass(frozen=True, slots=True)
class FileRecord(Facts):
    """A file: requests that were uploaded, or answers to them."""

    filename: str
    purpose: str
    bytes: int

    def to_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.bytes,
            "created_at": self.created_at,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
        }


@dataclass(frozen=True, slots=True)
class BatchRecord(Facts):
    """A batch: which jobs work on which file. Lines of the same settings are a job."""

    job_ids: list[str]
    model: str
    endpoint: str
    input_file_id: str
    completion_window: str
    metadata: dict[str, str] = field(default_factory=dict)
    has_ended: bool = False
    """Whether its files of answers and of errors are written."""
    output_file_id: str | None = None
    error_file_id: str | None = None

    def to_dict(self, info: BatchInfo) -> dict[str, Any]:
        """As the API shows it. A job that has ended is finalizing until its files are there."""
        status = info.status
        if status.is_terminal and not self.has_ended:
            status = BatchStatus.FINALIZING
        shown: dict[str, Any] = {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.model,
            "errors": _errors(info),
            "input_file_id": self.input_file_id,
            "completion_window": self.completion_window,
            "status": status.value,
            "output_file_id": self.output_file_id,
            "error_file_id": self.error_file_id,
            "created_at": self.created_at,
            "in_progress_at": _seconds(info.started_at),
            "expires_at": _seconds(info.expires_at),
            "request_counts": {
                "total": info.total_requests,
                "completed": info.completed_requests,
                "failed": info.failed_requests,
            },
            "metadata": self.metadata or None,
        }
        return shown | ({_TIMES[status]: _seconds(info.completed_at)} if status in _TIMES else {})


def _errors(info: BatchInfo) -> dict[str, Any] | None:
    if not info.errors:
        return None
    data = [{"code": "job_failed", "message": text, "param": None} for text in info.errors]
    return {"object": "list", "data": data}


def _seconds(time: Any) -> int | None:
    return None if time is None else int(time.timestamp())
