"""Two ways to show the progress of a run: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from oumi.cli.formatting import format_dollars, format_duration, format_number
from oumi.runner.limits.status import LimiterStatus
from oumi.runner.stats import RunStats

_WINDOW_S = 20.0
"""Rates are averages over this time: long enough that they do not jump with each answer of some
seconds, short enough to follow a server that becomes slower."""

_BAR_INTERVAL_S = 0.2
"""A bar is drawn five times a second: it looks alive, and costs the run next to nothing."""

_LINE_INTERVAL_S = 10.0
"""A log file gets a line every ten seconds, some hundred lines an hour."""


class _Sample(NamedTuple):
    time_s: float
    rows: int
    tokens: int


class Throughput:
    """Rows and tokens a second, over the last `_WINDOW_S` seconds."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque()

    def update(self, stats: RunStats) -> None:
        """Add the counts of this moment. To be called before a rate is read."""
        if not self._samples:
            self._samples.append(_Sample(stats.started_s, 0, 0))
        rows, tokens = stats.done + stats.failed, stats.usage.completion_tokens
        self._samples.append(_Sample(time.monotonic(), rows, tokens))
        # The oldest sample is kept until the next one is as old as the window.
        while self._samples[-1].time_s - self._samples[1].time_s > _WINDOW_S:
            self._samples.popleft()

    @property
    def rows_per_s(self) -> float:
        """Rows that ended, a second."""
        return (self._samples[-1].rows - self._samples[0].rows) / self._elapsed_s

    @property
    def tokens_per_s(self) -> float:
        """Tokens of answers, a second."""
        return (self._samples[-1].tokens - self._samples[0].tokens) / self._elapsed_s

    @property
    def _elapsed_s(self) -> float:
        return max(self._samples[-1].time_s - self._samples[0].time_s, 1e-9)


def progress_line(stats: RunStats, throughput: Throughput) -> str:
    """The progress of a run in one line."""
    left = stats.total - stats.finished - stats.failed
    parts = [f"{stats.finished:,}/{stats.total:,} done", f"{stats.failed:,} failed"]
    if throughput.rows_per_s > 0:
        parts.append(f"{format_number(throughput.rows_per_s)} rows/s")
        parts.append(f"{format_number(throughput.tokens_per_s)} tokens/s")
    if stats.retries:
        parts.append(f"{stats.retries.total():,} retries")
    if stats.waiting is not None:
        parts.append(stats.waiting.text)
    elif stats.limits is not None and (limit := limits(stats.limits)):
        parts.append(limit)
    if stats.cost is not None:
        parts.append(format_dollars(stats.cost))
    if throughput.rows_per_s > 0 and left > 0:
        parts.append(f"{format_duration(left / throughput.rows_per_s)} left")
    return " · ".join(parts)


def limits(status: LimiterStatus) -> str:
    """The limit that requests wait for; empty while none waits."""
    if not status.waiting:
        return ""
    rate = f", {format_number(status.rate_per_s)}/s" if status.rate_per_s else ""
    return f"limit {status.allowed:,} in flight{rate}"


class Display:
    """Shows the progress of a run; this base class shows nothing.

    A context manager that is used by one thread only.
    """

    interval_s: float | None = None
    """Seconds between two updates; None for a display that needs none."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def show_loading(self) -> None:
        """Show that the run has not begun."""

    def show_progress(self, stats: RunStats, throughput: Throughput) -> None:
        """Show the counts of this moment in place of earlier ones, or below them."""

    def show_message(self, text: str) -> None:
        """Show a text that stays."""


class _Bar(Display):
    interval_s = _BAR_INTERVAL_S

    def __init__(self, console: Console):
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            console=console,
            auto_refresh=False,
            redirect_stdout=False,  # answers may go there
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("loading", total=None)

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show_loading(self) -> None:
        self._bar.refresh()

    def show_progress(self, stats: RunStats, throughput: Throughput) -> None:
        ended = stats.finished + stats.failed
        line = progress_line(stats, throughput)
        self._bar.update(self._task, description=line, total=stats.total, completed=ended)
        self._bar.refresh()

    def show_message(self, text: str) -> None:
        self._bar.console.print(text, highlight=False, markup=False)


class _Lines(Display):
    interval_s = _LINE_INTERVAL_S

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._last_ended = -1

    def show_progress(self, stats: RunStats, throughput: Throughput) -> None:
        ended = stats.finished + stats.failed
        if ended != self._last_ended:
            self._last_ended = ended
            self.show_message(progress_line(stats, throughput))

    def show_message(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def make_display(stream: TextIO | None) -> Display:
    """A bar for a terminal that can redraw a line, lines for any other stream, nothing for None."""
    if stream is None:
        return Display()
    console = Console(file=stream)
    can_redraw = stream.isatty() and not console.is_dumb_terminal
    return _Bar(console) if can_redraw else _Lines(stream)
