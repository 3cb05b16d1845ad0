"""Several jobs as one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from oumi.core.types.batch import BatchInfo, BatchStatus

_WORST_FIRST = (BatchStatus.FAILED, BatchStatus.EXPIRED, BatchStatus.CANCELLED)


def combined(infos: Sequence[BatchInfo]) -> BatchInfo:
    """How far all of them are together: ended once each has."""
    first = infos[0]
    if len(infos) == 1:
        return first
    return replace(
        first,
        status=_status([info.status for info in infos]),
        total_requests=sum(info.total_requests for info in infos),
        completed_requests=sum(info.completed_requests for info in infos),
        failed_requests=sum(info.failed_requests for info in infos),
        completed_at=_last([info.completed_at for info in infos]),
        errors=tuple(error for info in infos for error in info.errors),
    )


def _status(statuses: Sequence[BatchStatus]) -> BatchStatus:
    if len(set(statuses)) == 1:
        return statuses[0]
    if not all(status.is_terminal for status in statuses):
        return BatchStatus.IN_PROGRESS
    return next(status for status in _WORST_FIRST if status in statuses)


def _last(times: Sequence[datetime | None]) -> datetime | None:
    return max(filter(None, times), default=None)
