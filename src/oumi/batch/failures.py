"""Why a row of a batch has no answer, told apart by `error_type`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.types.batch import BatchStatus
from oumi.core.types.result import Failure

EXPIRED = "BatchExpired"
"""The time of the batch was over before the row was answered."""
CANCELLED = "BatchCancelled"
"""The batch was stopped before the row was answered."""
FAILED = "BatchFailed"
"""The batch as a whole came to nothing."""
MISSING = "BatchMissing"
"""The batch has ended, and its files do not name the row."""
PENDING = "BatchPending"
"""The row may still be answered."""

_CODES = {"batch_expired": EXPIRED, "batch_cancelled": CANCELLED}
_TEXTS = {
    BatchStatus.EXPIRED: (EXPIRED, "not answered before the batch expired"),
    BatchStatus.CANCELLED: (CANCELLED, "not answered before the batch was cancelled"),
    BatchStatus.COMPLETED: (MISSING, "the batch has ended without a word about this row"),
    BatchStatus.IN_PROGRESS: (PENDING, "not answered yet: the batch is in progress"),
    BatchStatus.VALIDATING: (PENDING, "not answered yet: the batch has not begun"),
}


def failure_of(error: Mapping[str, Any] | str | None) -> Failure:
    """What an error means that stands in place of a reply."""
    error = {"message": error} if isinstance(error, str) else error or {}
    code = str(error.get("code") or "")
    message = str(error.get("message") or code or "no reason given")
    return Failure(_CODES.get(code, "UnavailableError"), message, is_retryable=True)


def unanswered(status: BatchStatus, errors: tuple[str, ...] = ()) -> Failure:
    """Why a row has no answer of which nothing is told, by what became of its batch."""
    if status == BatchStatus.FAILED:
        said = "; ".join(errors) or "no reason given"
        return Failure(FAILED, f"the batch failed: {said}", is_retryable=True)
    kind, text = _TEXTS[status]
    return Failure(kind, text, is_retryable=True)


OUTPUT_LAGS = Failure(
    PENDING, "the batch has ended, and its output is not there yet: ask again", is_retryable=True
)
