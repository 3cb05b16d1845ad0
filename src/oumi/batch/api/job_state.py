"""All shards of a job at an API, and what they make of the job as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from oumi.batch.api.shard import Shard, ShardState
from oumi.batch.failures import OUTPUT_NOT_READY, unanswered, unknown_batch
from oumi.batch.job_folder import JobFolder
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.failure import Failure

# How long to wait before a shard is submitted again to a queue that was full. Providers do not say
# when it has space; asking costs one request, and batches take minutes to hours.
_QUEUE_FULL_WAIT_S = 60.0
_WORST_FIRST = (BatchStatus.CANCELLED, BatchStatus.EXPIRED, BatchStatus.FAILED)


@dataclass
class JobState:
    """The shards of a job, of this attempt and of those before. `state_file` saves it."""

    shards: list[Shard] = field(default_factory=list)
    attempt: int = 0
    """Counts submissions of the job; 0 before the first one is prepared."""
    answered: int = 0
    """Rows that had an answer before this attempt."""
    unsent: int = 0
    """Rows of this attempt that cannot be sent."""
    cancelled: bool = False
    """Whether nothing more is to be submitted in this attempt."""
    queue_full_s: float | None = None
    """When the provider's queue was last full, in seconds since the epoch."""
    ended_when_full: int = 0
    """How many shards of this attempt had ended by then."""

    @property
    def current(self) -> list[Shard]:
        """The shards of this attempt."""
        return [shard for shard in self.shards if shard.attempt == self.attempt]

    @property
    def ended(self) -> int:
        """How many shards of this attempt have ended."""
        return sum(shard.has_ended for shard in self.current)

    def begin_attempt(self, shards: Sequence[Shard], *, answered: int, unsent: int) -> None:
        """Go on with new shards."""
        self.attempt += 1
        self.shards += shards
        self.answered, self.unsent = answered, unsent
        self.cancelled, self.queue_full_s = False, None

    def record_queue_full(self, now_s: float, ended: int) -> None:
        """Remember when the provider's queue was full, and how many shards had ended before."""
        self.queue_full_s, self.ended_when_full = now_s, ended

    def may_submit(self, now_s: float) -> bool:
        """Whether to submit another shard: all of them until the provider's queue is full, and
        then one at a time, as others end or a minute has passed.
        """
        if self.queue_full_s is None:
            return True
        if any(s.is_running and s.status == BatchStatus.VALIDATING for s in self.current):
            return False  # the provider may still reject that one
        waited_s = now_s - self.queue_full_s
        return waited_s >= _QUEUE_FULL_WAIT_S or self.ended > self.ended_when_full

    def why_unanswered(self, row: int) -> Failure:
        """Why a row has no answer, by the state of its shard."""
        for shard in self.current:
            if shard.first <= row <= shard.last:
                errors = shard.info.errors if shard.info else ()
                if shard.state == ShardState.ENDED:
                    return OUTPUT_NOT_READY
                if shard.state == ShardState.UNKNOWN:
                    return unknown_batch(errors)
                return unanswered(shard.status, errors)
        return unanswered(BatchStatus.VALIDATING)


def public_id(folder: JobFolder, state: JobState) -> str:
    """The id of a job for users: that of its only batch, or else the job's own."""
    if len(state.shards) == 1 and state.shards[0].ids:
        return state.shards[0].ids[-1]
    return folder.id


def job_info(folder: JobFolder, state: JobState) -> BatchInfo:
    """The job as a whole."""
    spec, shards = folder.spec, state.current
    infos = [shard.info for shard in shards if shard.info]
    counts = [shard.counts for shard in shards]
    return BatchInfo(
        id=public_id(folder, state),
        status=_overall([shard.status for shard in shards], state),
        total_requests=spec.rows,
        completed_requests=state.answered + sum(completed for completed, _ in counts),
        failed_requests=state.unsent + sum(failed for _, failed in counts),
        created_at=spec.created_at,
        started_at=min((i.started_at for i in infos if i.started_at), default=None),
        completed_at=_completed_at(shards, infos),
        expires_at=max((i.expires_at for i in infos if i.expires_at), default=None),
        errors=tuple(dict.fromkeys(error for info in infos for error in info.errors)),
        provider_status=_summary(shard.provider_status for shard in shards),
        parts=max(len(shards), 1),
        engine=spec.engine,
    )


def _overall(statuses: Sequence[BatchStatus], state: JobState) -> BatchStatus:
    """The worst status if all shards have ended; else how far they are."""
    if not state.attempt:
        return BatchStatus.VALIDATING
    if all(status.is_terminal for status in statuses):
        return next((worst for worst in _WORST_FIRST if worst in statuses), BatchStatus.COMPLETED)
    if len(set(statuses)) == 1:
        return statuses[0]
    pending = {status for status in statuses if not status.is_terminal}
    if len(pending) == 1 and BatchStatus.VALIDATING not in pending:
        return pending.pop()
    return BatchStatus.IN_PROGRESS


def _completed_at(shards: Sequence[Shard], infos: Sequence[BatchInfo]) -> datetime | None:
    if not all(shard.status.is_terminal for shard in shards):
        return None
    return max((info.completed_at for info in infos if info.completed_at), default=None)


def _summary(statuses: Iterable[str]) -> str:
    """`completed`, or of shards that differ `2 completed, 1 in_progress`."""
    counts = Counter(statuses)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {status}" for status, count in counts.items())
