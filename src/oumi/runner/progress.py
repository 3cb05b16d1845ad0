"""How far a run is, on a terminal as a bar and elsewhere as lines, always on stderr.

One thread owns the display and looks at the tally now and then; an event costs the run only its
place in the tally.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as RichProgress

from oumi.runner.events import Event, RunEnded, RunStarted, Stopping
from oumi.runner.tally import Tally

_PACE_WINDOW_S = 20.0


class Progress:
    """A listener to a run, and a context manager around it. `tally` holds the run's figures.

    With None for a stream, nothing is shown.
    """

    def __init__(self, stream: TextIO | None):
        self.tally = Tally()
        self._display = _display(stream)
        self._sayings: deque[str] = deque()
        self._started = False
        self._ended = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._show, name="oumi-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def is_asking(self) -> bool:
        """Whether the run has begun and not ended: rows may be in flight."""
        return self._started and self.tally.ended_s is None

    def __call__(self, event: Event) -> None:
        """Take an event of the run."""
        self.tally(event)
        match event:
            case RunStarted():
                self._started = event.recorded < event.total
                self._wake.set()
            case Stopping():
                self._say(
                    f"Stopping: {event.in_flight} in flight are being finished. "
                    "Ctrl-C again stops at once."
                )
            case RunEnded():
                self.end()

    def end(self) -> None:
        """Take the display down, so that others can write to the terminal. Twice is fine."""
        self._ended = True
        self._wake.set()
        self._thread.join()

    def _say(self, text: str) -> None:
        self._sayings.append(text)
        self._wake.set()

    def _show(self) -> None:
        # A terminal that went away must not end the run.
        with contextlib.suppress(OSError, ValueError), self._display:
            pace = Pace()
            while not self._ended:
                self._wake.wait(self._display.every_s)
                self._wake.clear()
                self._update(pace)
            self._update(pace)

    def _update(self, pace: Pace) -> None:
        while self._sayings:
            self._display.say(self._sayings.popleft())
        if self._started:
            pace.look(self.tally)
            self._display.update(self.tally, pace)
        else:
            self._display.wait()


class Pace:
    """Rows and tokens a second, over the last seconds."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, int]] = deque()

    def look(self, tally: Tally) -> None:
        """Take the tally's figures of this moment."""
        rows = tally.done + tally.failed
        if not self._looks:
            self._looks.append((tally.started_s, 0, 0))
        self._looks.append((time.monotonic(), rows, tally.usage.completion_tokens))
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


def figures(tally: Tally, pace: Pace) -> str:
    """How far the run is, in one line."""
    left = tally.total - tally.finished - tally.failed
    parts = [f"{tally.finished:,}/{tally.total:,} done", f"{tally.failed:,} failed"]
    if pace.rows_per_s > 0:
        parts.append(f"{number(pace.rows_per_s)} rows/s")
        parts.append(f"{number(pace.tokens_per_s)} tokens/s")
    if pace.rows_per_s > 0 and left > 0:
        parts.append(f"{clock(left / pace.rows_per_s)} left")
    return " · ".join(parts)


def number(value: float) -> str:
    """A figure with as many places as are worth reading."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def clock(seconds: float) -> str:
    """A duration as `0:07` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class _Silent:
    """Where progress is shown: here, nowhere. Used by one thread, as a context manager."""

    every_s: float | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass

    def wait(self) -> None:
        """Show that the run has not begun."""

    def update(self, tally: Tally, pace: Pace) -> None:
        """Show the figures."""

    def say(self, text: str) -> None:
        """Show a message that stays."""


class _Bar(_Silent):
    every_s = 0.2

    def __init__(self, stream: TextIO):
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            console=Console(file=stream),
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

    def update(self, tally: Tally, pace: Pace) -> None:
        ended = tally.finished + tally.failed
        text = figures(tally, pace)
        self._bar.update(self._task, description=text, total=tally.total, completed=ended)
        self._bar.refresh()

    def say(self, text: str) -> None:
        self._bar.console.print(text, highlight=False)


class _Lines(_Silent):
    every_s = 10.0

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._shown = -1

    def update(self, tally: Tally, pace: Pace) -> None:
        ended = tally.finished + tally.failed
        if ended != self._shown:
            self._shown = ended
            self.say(figures(tally, pace))

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def _display(stream: TextIO | None) -> _Silent:
    if stream is None:
        return _Silent()
    return _Bar(stream) if stream.isatty() else _Lines(stream)
