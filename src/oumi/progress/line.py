"""The progress of a run in one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from oumi.progress.formatting import format_dollars, format_duration, format_number
from oumi.runner.limits.status import LimiterStatus
from oumi.runner.stats import NOTICED_WAIT_S, RunStats
from oumi.runner.throughput import Throughput

_MEDIAN = 0.5


class _Part(NamedTuple):
    text: str
    rank: int
    """Where the line is too long, the part with the highest one is left out first."""


def progress_line(stats: RunStats, throughput: Throughput, width: int | None = None) -> str:
    """The progress of a run in one line, of at most `width` characters where that is possible.

    What is done stays in any case; the time that is left and the cost go last.
    """
    parts = list(_parts(stats, throughput))
    while width is not None and len(parts) > 1 and len(_join(parts)) > width:
        parts.remove(max(parts, key=lambda part: part.rank))
    return _join(parts)


def limits(status: LimiterStatus) -> str:
    """The limit that requests wait for; empty while none waits."""
    if not status.waiting:
        return ""
    rate = f", {format_number(status.rate_per_s)}/s" if status.rate_per_s else ""
    return f"limit {status.allowed:,} in flight{rate}"


def _join(parts: list[_Part]) -> str:
    return " · ".join(part.text for part in parts)


def _parts(stats: RunStats, throughput: Throughput) -> Iterator[_Part]:
    left, rate = (stats.total or 0) - stats.finished - stats.failed, throughput.rows_per_s
    yield _Part(f"{stats.finished:,}/{stats.total_text} done", 0)
    yield _Part(f"{stats.failed:,} failed", 3)
    if rate > 0:
        yield _Part(f"{format_number(rate)} rows/s", 5)
        yield _Part(f"{format_number(throughput.tokens_per_s)} tokens/s", 7)
    yield from _durations(stats)
    if stats.retries:
        yield _Part(f"{stats.retries.total():,} retries", 6)
    if stats.waiting is not None:
        yield _Part(stats.waiting.text, 4)
    elif stats.limits is not None and (limit := limits(stats.limits)):
        yield _Part(limit, 8)
    if stats.cost is not None:
        yield _Part(format_dollars(stats.cost), 2)
    if rate > 0 and left > 0:
        yield _Part(f"{format_duration(left / rate)} left", 1)


def _durations(stats: RunStats) -> Iterator[_Part]:
    """How long a request takes, and how long its row waited for its turn."""
    latency_s, waited_s = stats.latency.quantile(_MEDIAN), stats.waited.quantile(_MEDIAN)
    if latency_s:
        yield _Part(f"latency {latency_s:.2f} s", 9)
    if waited_s >= NOTICED_WAIT_S:
        yield _Part(f"waited {waited_s:.2f} s", 10)
