"""A shard of a job: the rows that go to the provider in one batch, as a state machine.

The one call that costs money is the one that starts a batch. CREATING is on disk before that call
is made, so whoever finds a shard in that state knows that a batch may have been started of which
nothing is known here, and asks the provider for the shard's tag before the call is made again.

States:

    QUEUED            to be submitted, for the first time or after the provider's queue was full
    CREATING          the call that starts a batch may have been made
    RUNNING           the provider works on the batch
    UNKNOWN           the provider does not know the batch; it is asked again each time
    ENDED             the batch has ended; not all of its results are here
    COLLECTED         all results that the provider has are here
    CANCELLED_UNSENT  cancelled before a batch was started

Transitions, with the state that each of them leads to; where there is none, it raises
IllegalTransitionError:

    from:              QUEUED            CREATING          RUNNING   UNKNOWN   ENDED
    record_upload      QUEUED
    begin_creating     CREATING
    halve              (two QUEUED)
    cancel_unsent      CANCELLED_UNSENT  CANCELLED_UNSENT
    requeue                              QUEUED
    apply: it runs                       RUNNING           RUNNING   RUNNING
    apply: queue full                    QUEUED            QUEUED    ENDED     ENDED
    apply: it ended                      ENDED             ENDED     ENDED     ENDED
    mark_unknown                                           UNKNOWN   UNKNOWN   UNKNOWN
    count_results                                                              ENDED
    mark_collected                                                             COLLECTED

COLLECTED and CANCELLED_UNSENT are final.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from oumi.batch.api.providers.base import ApiBatch
from oumi.core.types.batch import BatchInfo, BatchStatus


class ShardState(StrEnum):
    """How far a shard is; the text is what stands on disk."""

    QUEUED = "queued"
    CREATING = "creating"
    RUNNING = "running"
    UNKNOWN = "unknown"
    ENDED = "ended"
    COLLECTED = "collected"
    CANCELLED_UNSENT = "cancelled_unsent"


_HAVE_ENDED = frozenset(
    {ShardState.UNKNOWN, ShardState.ENDED, ShardState.COLLECTED, ShardState.CANCELLED_UNSENT}
)
_MAY_CHANGE = frozenset({ShardState.RUNNING, ShardState.UNKNOWN, ShardState.ENDED})


class IllegalTransitionError(RuntimeError):
    """A shard was asked for a transition that its state does not have: a bug of this package."""


@dataclass
class Shard:
    """The rows from `first` to `last` that had no answer when the attempt began.

    `state` is changed by the methods of this class only. The caller has to save it.
    """

    tag: str
    """Names the shard at the provider."""
    first: int
    last: int
    requests: int
    """How many rows between `first` and `last` it holds."""
    attempt: int = 1
    """The submission of the job that it belongs to."""
    state: ShardState = ShardState.QUEUED
    is_adopted: bool = False
    """Whether another program made its batch: it is never submitted from here."""
    upload: str = ""
    """The provider's id of the uploaded requests."""
    ids: list[str] = field(default_factory=list)
    """The provider's ids of its batches. The last one counts; those before it failed because the
    provider's queue was full.
    """
    info: BatchInfo | None = None
    """What the provider last reported of the batch."""
    rejections: int = 0
    """How often the queue was full although nothing else of the job ran."""
    answers: int | None = None
    """How many of its rows have an answer here; None before they are collected."""
    failures: int = 0
    """How many of its rows have failed, by what is here."""

    @classmethod
    def adopt(cls, batch: ApiBatch, requests: int) -> Self:
        """The shard of a batch that another program made, and so is past its creation."""
        shard = cls(
            tag=batch.info.id,
            first=0,
            last=requests - 1,
            requests=requests,
            state=ShardState.RUNNING,
            is_adopted=True,
        )
        shard.apply(batch)
        return shard

    @property
    def is_waiting(self) -> bool:
        """Whether no batch is known that holds its requests."""
        return self.state in (ShardState.QUEUED, ShardState.CREATING)

    @property
    def is_running(self) -> bool:
        """Whether the provider works on it."""
        return self.state == ShardState.RUNNING

    @property
    def may_change(self) -> bool:
        """Whether the provider may have news of its batch."""
        return self.state in _MAY_CHANGE

    @property
    def has_ended(self) -> bool:
        """Whether the provider will not answer any more of its rows."""
        return self.state in _HAVE_ENDED

    @property
    def status(self) -> BatchStatus:
        """Its state as a status of the public API."""
        if self.state == ShardState.CANCELLED_UNSENT:
            return BatchStatus.CANCELLED
        return self.info.status if self.info and not self.is_waiting else BatchStatus.VALIDATING

    @property
    def provider_status(self) -> str:
        """The provider's name of its state; `queued` or `cancelled` while there is no batch."""
        if self.state == ShardState.CANCELLED_UNSENT:
            return "cancelled"
        return self.info.provider_status if self.info and not self.is_waiting else "queued"

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that are answered and that failed: counted here, or as the provider reports."""
        if self.answers is not None:
            return self.answers, self.failures
        info = self.info
        if info is None or self.is_waiting or self.state == ShardState.CANCELLED_UNSENT:
            return 0, 0
        if info.status == BatchStatus.COMPLETED and not info.total_requests:
            return self.requests, 0  # the provider reports no counts, and all rows have ended
        return info.completed_requests, info.failed_requests

    def record_upload(self, upload: str) -> None:
        """Remember the provider's id of the uploaded requests."""
        self._check("record_upload", ShardState.QUEUED)
        self.upload = upload

    def begin_creating(self) -> None:
        """To be saved before the call is made that starts a batch."""
        self._check("begin_creating", ShardState.QUEUED)
        self.state = ShardState.CREATING

    def requeue(self) -> None:
        """The provider's queue was full, so it has started no batch."""
        self._check("requeue", ShardState.CREATING)
        self.state = ShardState.QUEUED

    def apply(self, batch: ApiBatch) -> None:
        """Take over what the provider reports of the batch."""
        self._check("apply", ShardState.CREATING, *_MAY_CHANGE)
        state = self._state_after(batch)
        if self.state == ShardState.ENDED != state:
            self._fail(f"apply of a batch that is {batch.info.status}")
        if batch.info.id not in self.ids:
            self.ids.append(batch.info.id)
        self.state, self.info = state, self._with_end(batch.info)
        self.upload = batch.upload or self.upload

    def mark_unknown(self, reason: str) -> None:
        """The provider does not know the batch."""
        self._check("mark_unknown", *_MAY_CHANGE)
        info = self.info or BatchInfo(self.ids[-1], BatchStatus.FAILED)
        self.info = replace(
            info, status=BatchStatus.FAILED, provider_status="unknown", errors=(reason,)
        )
        self.state = ShardState.UNKNOWN

    def cancel_unsent(self) -> None:
        """Never submit it. From CREATING only once the provider was asked and knows no batch."""
        self._check("cancel_unsent", ShardState.QUEUED, ShardState.CREATING)
        self.state = ShardState.CANCELLED_UNSENT

    def count_results(self, *, answers: int, failures: int) -> None:
        """How many of its rows have an answer and how many have failed, by its results."""
        self._check("count_results", ShardState.ENDED)
        self.answers, self.failures = answers, failures

    def mark_collected(self) -> None:
        """All results that the provider has are recorded here."""
        self._check("mark_collected", ShardState.ENDED)
        self.state = ShardState.COLLECTED

    def halve(self) -> tuple[Shard, Shard]:
        """Two shards in place of this one, whose rows the caller has still to divide.

        The first one keeps the ids, so that they still find the job.
        """
        self._check("halve", ShardState.QUEUED)
        size = self.requests // 2
        first = Shard(f"{self.tag}a", self.first, self.last, size, self.attempt)
        first.ids, first.info = self.ids, self.info
        rest = self.requests - size
        return first, Shard(f"{self.tag}b", self.first, self.last, rest, self.attempt)

    def _state_after(self, batch: ApiBatch) -> ShardState:
        if not batch.info.is_terminal:
            return ShardState.RUNNING
        was_underway = self.state in (ShardState.CREATING, ShardState.RUNNING)
        is_requeued = batch.queue_full and not self.is_adopted and was_underway
        return ShardState.QUEUED if is_requeued else ShardState.ENDED

    def _with_end(self, info: BatchInfo) -> BatchInfo:
        """The same with the time at which it was first seen to have ended, where the provider does
        not report one: results are not waited for without end.
        """
        if not info.is_terminal or info.completed_at is not None:
            return info
        seen = self.info.completed_at if self.info and self.info.is_terminal else None
        return replace(info, completed_at=seen or datetime.now(UTC))

    def _check(self, transition: str, *allowed: ShardState) -> None:
        if self.state not in allowed:
            self._fail(transition)

    def _fail(self, transition: str) -> None:
        raise IllegalTransitionError(f"{self.tag} is {self.state}: no {transition} from there")
