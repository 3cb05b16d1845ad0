"""The figures of a run, kept up to date from its events."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from oumi.core.types.completion import Usage
from oumi.errors import OumiError
from oumi.runner.cost import PaidTokens, Price
from oumi.runner.events import (
    Event,
    LimitsReported,
    Resumed,
    RowDone,
    RowFailed,
    RowRepaired,
    RowRetried,
    RowsCounted,
    RunEnded,
    RunStarted,
    Waiting,
    WorkersReported,
)
from oumi.runner.limits.status import LimiterStatus
from oumi.runner.session_times import SessionTimes
from oumi.runner.worker_status import WorkerStatus

NOTICED_WAIT_S = 0.05
"""What a row waits less than this is our own work about a request: nothing to be told of."""

_STEP = math.log(1.02)
_SHORTEST_S = 1e-6
_COUNTED_AT_ONCE = 100
"""One by one, between all else that is done for a row, each would take four times as long."""
_QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Histogram:
    """Durations in buckets 2 % wide, so that quantiles take no memory per row."""

    def __init__(self) -> None:
        self._counted: Counter[int] = Counter()
        self._new: list[float] = []  # that are not in a bucket yet

    def add(self, seconds: float | None, times: int = 1) -> None:
        """Count a duration; None is none. -1 times takes back one that was counted."""
        if seconds is None:
            return
        if times != 1:
            self._buckets[_bucket_of(seconds)] += times
            return
        self._new.append(seconds)
        if len(self._new) == _COUNTED_AT_ONCE:
            self._count_new()

    @property
    def is_empty(self) -> bool:
        """Whether none was counted."""
        return not self._buckets

    def quantile(self, share: float) -> float:
        """The duration in seconds that `share` of all stay under, within 1 %; 0 without any."""
        buckets = self._buckets
        rank = share * buckets.total()
        for bucket in sorted(buckets):
            rank -= buckets[bucket]
            if rank <= 0:
                return math.exp(bucket * _STEP)
        return 0.0

    def merge(self, other: Histogram) -> None:
        """Count what another one has counted."""
        self._counted = self._buckets + other._buckets

    def buckets(self) -> list[tuple[float, int]]:
        """The middle of each bucket in seconds, and how many durations are in it, in order."""
        return [(math.exp(b * _STEP), n) for b, n in sorted(self._buckets.items()) if n]

    @property
    def _buckets(self) -> Counter[int]:
        """How many durations there are in each bucket."""
        if self._new:
            self._count_new()
        return self._counted

    def _count_new(self) -> None:
        self._counted.update(map(_bucket_of, self._new))
        self._new.clear()


@dataclass
class RunStats:
    """Counts of a run; to be updated with each event."""

    total: int | None = 0
    is_estimate: bool = False
    """Whether the total is one, because not all rows are counted yet."""
    num_samples: int = 1
    """How many of these rows are answers to the same row of the input."""
    recorded: int = 0
    done: int = 0
    from_cache: int = 0
    """Done rows whose answer an earlier run had."""
    failed: int = 0
    paid: PaidTokens = field(default_factory=PaidTokens)
    """Tokens, by what was paid for them."""
    retries: Counter[str] = field(default_factory=Counter)
    """Tries made again, by the reason."""
    repairs: int = 0
    """Answers that were not valid, and after which a further one was asked for."""
    price: Price | None = None
    latency: Histogram = field(default_factory=Histogram)
    """Of the requests themselves that gave a row its answer."""
    waited: Histogram = field(default_factory=Histogram)
    """What came on top of it: waits for a place in the limits, and tries that failed."""
    limits: LimiterStatus | None = None
    """What the limiter did when it was last reported."""
    workers: tuple[WorkerStatus, ...] = ()
    """How those of a cluster stood when they were last reported."""
    waiting: Waiting | None = None
    """What all rows wait for at the moment."""
    over_time: SessionTimes = field(default_factory=SessionTimes)
    """How retries and limits went."""
    started_s: float = field(default_factory=time.monotonic)
    ended_s: float | None = None

    def update(self, event: Event) -> None:
        """Count an event."""
        match event:
            case RowDone():
                self._count_done(event)
            case RowFailed():
                self.failed += 1
                self.paid.add(event.usage or Usage())
            case RowRetried():
                self.retries[_reason(event.error)] += 1
                self.over_time.count_retry()
            case RowRepaired():
                self.repairs += 1
            case LimitsReported():
                self.limits = event.status
                self.over_time.take(event.status)
            case WorkersReported():
                self.workers = event.workers
            case Waiting() | Resumed():
                self.waiting = event if isinstance(event, Waiting) else None
            case RunStarted() | RowsCounted():
                self._count_rows(event)
            case RunEnded():
                self.ended_s = time.monotonic()

    def _count_rows(self, event: RunStarted | RowsCounted) -> None:
        self.total, self.recorded = event.total, event.recorded
        self.is_estimate = event.is_estimate
        if isinstance(event, RunStarted):
            self.price, self.num_samples = event.price, event.num_samples
            self.started_s = time.monotonic()

    def _count_done(self, event: RowDone) -> None:
        answer = event.answer
        self.done += 1
        self.paid.add(event.usage or answer.usage, answer.price_share)
        if answer.from_cache:
            self.from_cache += 1
        else:
            self.latency.add(event.latency_s)
            self.waited.add(event.waited_s)

    @property
    def usage(self) -> Usage:
        """All tokens together."""
        return self.paid.total

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first row was begun, until the last one ended."""
        return max((self.ended_s or time.monotonic()) - self.started_s, 1e-9)

    @property
    def finished(self) -> int:
        """Rows that have an answer, from this run or before."""
        return self.recorded + self.done

    @property
    def total_text(self) -> str:
        """The number of rows as it is shown: `~1,000` for an estimate, `?` while there is none."""
        return "?" if self.total is None else f"{'~' * self.is_estimate}{self.total:,}"

    @property
    def cost(self) -> float | None:
        """Dollars for the answers of this run; None where there is no price."""
        return self.paid.cost(self.price) if self.price else None

    def kept(self, place: str | None) -> str:
        """What there is of a run that did not reach its end, in words."""
        if self.total == 0:
            return "before the first row; nothing was changed"
        done = f"{self.finished:,} of {self.total_text} rows are done"
        if place is None:
            return f"{done}, but not kept: with output_path a run can go on where it stopped"
        return f"{done} and kept in {place}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, times in seconds."""
        return {
            "answered": self.done,
            "failed": self.failed,
            "answered_before": self.recorded,
            "from_cache": self.from_cache,
            "seconds": round(self.elapsed_s, 3),
            "retries": dict(self.retries),
            "asked_again": self.repairs,
            "usage": self.usage.to_dict(),
            "latency_s": _quantiles(self.latency),
            "waited_s": _quantiles(self.waited),
            "limits": asdict(self.limits) if self.limits else None,
            "over_time": self.over_time.to_dict(),
        }


def _bucket_of(seconds: float) -> int:
    return round(math.log(seconds if seconds > _SHORTEST_S else _SHORTEST_S) / _STEP)


def _quantiles(durations: Histogram) -> dict[str, float]:
    return {name: round(durations.quantile(share), 4) for name, share in _QUANTILES.items()}


def _reason(error: OumiError) -> str:
    return str(error.status) if error.status else type(error).__name__
