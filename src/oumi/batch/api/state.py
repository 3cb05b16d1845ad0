"""What has happened to a job at an API, and what that makes of it as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from oumi.batch.api.providers import ApiBatch
from oumi.batch.failures import OUTPUT_LAGS, unanswered
from oumi.batch.job_folder import JobFolder
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import Failure

_ASK_FOR_ROOM_AFTER_S = 60.0
_WORST_FIRST = (BatchStatus.CANCELLED, BatchStatus.EXPIRED, BatchStatus.FAILED)


@dataclass
class Shard:
    """One batch of the provider: the rows from `first` to `last` that had no answer yet."""

    tag: str
    """Names the part at the provider."""
    first: int
    last: int
    requests: int
    attempt: int = 1
    upload: str = ""
    begun: bool = False
    """Whether a batch may have been started of which nothing is known here."""
    ids: list[str] = field(default_factory=list)
    """The provider's ids, the last one counts; those before it were refused for want of room."""
    told: dict[str, Any] | None = None
    """What the provider told last."""
    refused: bool = False
    refusals: int = 0
    """How often there was no room although nothing else of the job ran."""
    stopped: bool = False
    """Cancelled before it was submitted."""
    collected: bool = False
    answers: int | None = None
    """How many of its rows have an answer here; None before they are collected."""
    failures: int = 0
    """How many of its rows have come to nothing, by what is here."""

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to be submitted."""
        return not self.stopped and (self.refused or not self.ids)

    @property
    def is_running(self) -> bool:
        """Whether the provider is at it."""
        return not self.stopped and not self.is_waiting and not self.status.is_terminal

    @property
    def is_due(self) -> bool:
        """Whether it has results that are not here yet."""
        return bool(self.ids) and not (self.is_waiting or self.is_running or self.collected)

    @property
    def info(self) -> BatchInfo | None:
        """What the provider told last."""
        return BatchInfo.from_dict(self.told) if self.told else None

    @property
    def status(self) -> BatchStatus:
        """How far it is."""
        if self.stopped:
            return BatchStatus.CANCELLED
        info = self.info
        return BatchStatus.VALIDATING if self.is_waiting or info is None else info.status

    @property
    def word(self) -> str:
        """The provider's word for how far it is, or ours for what the provider has no word for."""
        if self.stopped:
            return "cancelled"
        return "queued" if self.is_waiting or not self.told else str(self.told["provider_status"])

    @property
    def counts(self) -> tuple[int, int]:
        """Rows that are answered and that failed: counted here, or as the provider tells."""
        if self.answers is not None:
            return self.answers, self.failures
        info = self.info
        if info is None or self.refused:
            return 0, 0
        if info.status == BatchStatus.COMPLETED and not info.total_requests:
            return self.requests, 0  # not told; all have ended
        return info.completed_requests, info.failed_requests

    def take(self, batch: ApiBatch) -> None:
        """Note what the provider told."""
        if batch.info.id not in self.ids:
            self.ids.append(batch.info.id)
        self.told, self.refused = batch.info.to_dict(), batch.refused
        self.upload = batch.upload or self.upload
        self.begun = self.begun and not batch.refused


@dataclass
class State:
    """A job at an API: its parts, of this attempt and of those before."""

    parts: list[Shard] = field(default_factory=list)
    attempt: int = 0
    """Counts submissions of the job; 0 before the first one is prepared."""
    answered: int = 0
    """Rows that had an answer before this attempt."""
    unsent: int = 0
    """Rows of this attempt that cannot be sent."""
    cancelled: bool = False
    refused_s: float | None = None
    """When the provider last had no room, in seconds since the epoch."""
    ended_then: int = 0
    """Parts that had ended by then."""

    @classmethod
    def load(cls, folder: JobFolder) -> State:
        """What the folder holds."""
        values = folder.read_state()
        values.pop("ids", None)
        return cls(**{**values, "parts": [Shard(**part) for part in values.get("parts", ())]})

    def save(self, folder: JobFolder) -> None:
        """Write all of it."""
        ids = [name for part in self.parts for name in part.ids]
        folder.write_state({"ids": ids, **asdict(self)})

    @property
    def current(self) -> list[Shard]:
        """The parts of this attempt."""
        return [part for part in self.parts if part.attempt == self.attempt]

    @property
    def ended(self) -> int:
        """How many parts of this attempt have ended."""
        return sum(1 for part in self.current if not part.is_waiting and part.status.is_terminal)

    def refuse(self, now_s: float, ended: int) -> None:
        """Note that there was no room when so many parts had ended."""
        self.refused_s, self.ended_then = now_s, ended

    def has_room(self, now_s: float) -> bool:
        """Whether a part may be submitted: until one is refused, and then one at a time, as
        others end or a minute has gone by.
        """
        if self.refused_s is None:
            return True
        if any(part.is_running and part.status == BatchStatus.VALIDATING for part in self.current):
            return False
        return now_s - self.refused_s >= _ASK_FOR_ROOM_AFTER_S or self.ended > self.ended_then

    def why_unanswered(self, row: int) -> Failure:
        """Why a row has no answer of which nothing is told."""
        for part in self.current:
            if part.first <= row <= part.last:
                if part.is_due:
                    return OUTPUT_LAGS
                return unanswered(part.status, part.info.errors if part.info else ())
        return unanswered(BatchStatus.VALIDATING)


def part_path(folder: JobFolder, part: Shard) -> Path:
    """Where the requests of a part lie until it has ended."""
    return folder.path / f"{part.tag}.jsonl"


def public_id(folder: JobFolder, state: State) -> str:
    """What a job is called: of a single part, as its provider calls it."""
    if len(state.parts) == 1 and state.parts[0].ids:
        return state.parts[0].ids[-1]
    return folder.id


def describe(folder: JobFolder, state: State) -> BatchInfo:
    """The job as a whole."""
    intent, parts = folder.intent, state.current
    told = [info for part in parts if (info := part.info)]
    counts = [part.counts for part in parts]
    return BatchInfo(
        id=public_id(folder, state),
        status=_overall([part.status for part in parts], state),
        total_requests=intent.rows,
        completed_requests=state.answered + sum(done for done, _ in counts),
        failed_requests=state.unsent + sum(failed for _, failed in counts),
        created_at=intent.created_at,
        started_at=min((t.started_at for t in told if t.started_at), default=None),
        completed_at=_end(parts, told),
        expires_at=max((t.expires_at for t in told if t.expires_at), default=None),
        errors=tuple(dict.fromkeys(error for info in told for error in info.errors)),
        provider_status=_words(part.word for part in parts),
        parts=max(len(parts), 1),
        engine=intent.engine,
    )


def _overall(statuses: Sequence[BatchStatus], state: State) -> BatchStatus:
    """Of parts that have all ended, the worst; else how far they are."""
    if not state.attempt:
        return BatchStatus.VALIDATING
    if all(status.is_terminal for status in statuses):
        return next((worst for worst in _WORST_FIRST if worst in statuses), BatchStatus.COMPLETED)
    if all(status == BatchStatus.VALIDATING for status in statuses):
        return BatchStatus.VALIDATING
    return BatchStatus.IN_PROGRESS


def _end(parts: Sequence[Shard], told: Sequence[BatchInfo]) -> datetime | None:
    if not all(part.status.is_terminal for part in parts):
        return None
    return max((info.completed_at for info in told if info.completed_at), default=None)


def _words(words: Iterable[str]) -> str:
    """`completed`, or of parts that differ `2 completed, 1 in_progress`."""
    counts = Counter(words)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {word}" for word, count in counts.items())
