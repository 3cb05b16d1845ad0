"""Ways to show how far a run is."""

from __future__ import annotations

import time
from collections import deque
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from oumi.runner.limits.status import LimiterStatus
from oumi.runner.stats import RunStats

_PACE_WINDOW_S = 20.0


class Pace:
    """Rows and tokens a second, over the last seconds."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, int]] = deque()

    def look(self, stats: RunStats) -> None:
        """Take the stats's figures of this moment."""
        rows = stats.done + stats.failed
        if not self._looks:
            self._looks.append((stats.started_s, 0, 0))
        self._looks.append((time.monotonic(), rows, stats.usage.completion_tokens))
        while self._looks[-1][0] - self._looks[1][0] > _PACE_WINDOW_S:
            self._looks.popleft()

    @property
    def rows_per_s(self) -> float:
        """Rows that ended, a second."""
        return self._rate(1)

    @property
    def tokens_per_s(self) -> float:
        """Tokens of answers, a second."""
        return self._rate(2)

    def _rate(self, index: int) -> float:
        first, last = self._looks[0], self._looks[-1]
        return (last[index] - first[index]) / max(last[0] - first[0], 1e-9)


def figures(stats: RunStats, pace: Pace) -> str:
    """How far the run is, in one line."""
    left = stats.total - stats.finished - stats.failed
    parts = [f"{stats.finished:,}/{stats.total:,} done", f"{stats.failed:,} failed"]
    if pace.rows_per_s > 0:
        parts.append(f"{number(pace.rows_per_s)} rows/s")
        parts.append(f"{number(pace.tokens_per_s)} tokens/s")
    if stats.retries:
        parts.append(f"{stats.retries.total():,} retries")
    if stats.limits is not None and (limit := limits(stats.limits)):
        parts.append(limit)
    if stats.cost is not None:
        parts.append(dollars(stats.cost))
    if pace.rows_per_s > 0 and left > 0:
        parts.append(f"{clock(left / pace.rows_per_s)} left")
    return " · ".join(parts)


def limits(state: LimiterStatus) -> str:
    """What holds the starts back, where something does."""
    if not state.waiting:
        return ""
    rate = f", {number(state.rate_per_s)}/s" if state.rate_per_s else ""
    return f"limit {state.allowed:,} in flight{rate}"


def dollars(cost: float) -> str:
    """An amount with as many places as are worth reading."""
    return f"${cost:,.2f}" if cost >= 1 else f"${cost:.4f}"


def number(value: float) -> str:
    """A figure with as many places as are worth reading."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def clock(seconds: float) -> str:
    """A duration as `0:07` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Display:
    """Where progress is shown: here, nowhere. Used by one thread, as a context manager."""

    every_s: float | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self) -> None:
        """Show that the run has not begun."""

    def update(self, stats: RunStats, pace: Pace) -> None:
        """Show the figures."""

    def say(self, text: str) -> None:
        """Show a message that stays."""


class _Bar(Display):
    every_s = 0.2

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

    def wait(self) -> None:
        self._bar.refresh()

    def update(self, stats: RunStats, pace: Pace) -> None:
        ended = stats.finished + stats.failed
        text = figures(stats, pace)
        self._bar.update(self._task, description=text, total=stats.total, completed=ended)
        self._bar.refresh()

    def say(self, text: str) -> None:
        self._bar.console.print(text, highlight=False)


class _Lines(Display):
    every_s = 10.0

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._shown = -1

    def update(self, stats: RunStats, pace: Pace) -> None:
        ended = stats.finished + stats.failed
        if ended != self._shown:
            self._shown = ended
            self.say(figures(stats, pace))

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def display(stream: TextIO | None) -> Display:
    """What suits the stream."""
    if stream is None:
        return Display()
    console = Console(file=stream)
    can_redraw = stream.isatty() and not console.is_dumb_terminal
    return _Bar(console) if can_redraw else _Lines(stream)
