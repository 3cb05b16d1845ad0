"""Why a row of a batch has no answer: one `error_class` for each reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.core.types.batch import BatchStatus
from oumi.core.types.failure import Failure

EXPIRED = "BatchExpired"
"""The batch expired before the row was answered."""
CANCELLED = "BatchCancelled"
"""The batch was cancelled before the row was answered."""
FAILED = "BatchFailed"
"""The batch failed as a whole."""
MISSING = "BatchMissing"
"""The batch has ended, and its files do not name the row."""
UNKNOWN = "BatchUnknown"
"""The provider no longer knows the batch."""
PENDING = "BatchPending"
"""The row may still be answered."""

_TYPES_BY_CODE = {"batch_expired": EXPIRED, "batch_cancelled": CANCELLED}
_BY_STATUS = {
    BatchStatus.EXPIRED: (EXPIRED, "not answered before the batch expired"),
    BatchStatus.CANCELLED: (CANCELLED, "not answered before the batch was cancelled"),
    BatchStatus.COMPLETED: (MISSING, "the batch has ended, and its output does not name this row"),
    BatchStatus.IN_PROGRESS: (PENDING, "not answered yet: the batch is in progress"),
    BatchStatus.FINALIZING: (PENDING, "not here yet: the provider is writing the results"),
    BatchStatus.CANCELLING: (PENDING, "not answered yet: the batch is being cancelled"),
    BatchStatus.VALIDATING: (PENDING, "not answered yet: the batch has not begun"),
}


def failure_of(error: Any) -> Failure:
    """The failure that a provider's error object stands for."""
    if not isinstance(error, Mapping):
        error = {"message": error}
    code = str(error.get("code") or "")
    message = str(error.get("message") or code or "no reason given")
    return Failure(_TYPES_BY_CODE.get(code, "UnavailableError"), message, is_retryable=True)


def unanswered(status: BatchStatus, errors: tuple[str, ...] = ()) -> Failure:
    """Why a row has no answer that is not in the results, by the status of its batch."""
    if status == BatchStatus.FAILED:
        reasons = "; ".join(errors) or "no reason given"
        return Failure(FAILED, f"the batch failed: {reasons}", is_retryable=True)
    error_class, message = _BY_STATUS[status]
    return Failure(error_class, message, is_retryable=True)


def unknown_batch(reasons: tuple[str, ...]) -> Failure:
    """Why a row has no answer whose batch the provider no longer knows."""
    return Failure(UNKNOWN, "; ".join(reasons), is_retryable=True)


OUTPUT_NOT_READY = Failure(
    PENDING, "the batch has ended, and its output is not there yet: ask again", is_retryable=True
)
