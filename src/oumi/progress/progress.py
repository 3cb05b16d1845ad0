"""The progress of a run on stderr: a bar on a terminal, lines elsewhere.

A thread of its own owns the display and reads the counts at intervals, so that an event costs the
run no more than an addition.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import Self, TextIO

from oumi.core.printable import printable
from oumi.progress.display import make_display
from oumi.runner.events import (
    BatchReported,
    Event,
    RunEnded,
    RunStarted,
    SourceRecognised,
    Stopping,
    Waiting,
)
from oumi.runner.loop import leave_signals_to_main
from oumi.runner.stats import RunStats
from oumi.runner.throughput import Throughput


class Progress:
    """A listener to a run, and a context manager around it. `stats` holds the run's counts.

    With None for a stream, nothing is shown. A run that takes less than `delay_s` shows nothing
    but its messages.
    """

    def __init__(self, stream: TextIO | None, *, delay_s: float = 0.0):
        self.stats = RunStats()
        self._display = make_display(stream)
        self._throughput: Throughput | None = None  # once the run has begun
        self._messages: deque[str] = deque()
        self._has_started = False
        self._delay_s = delay_s
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._show, name="oumi-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def is_running(self) -> bool:
        """Whether the run has begun and not ended, so that requests may be in flight."""
        return self._has_started and self.stats.ended_s is None

    def __call__(self, event: Event) -> None:
        """Count an event of the run."""
        self.stats.update(event)
        match event:
            case RunStarted():
                self._has_started = event.is_estimate or event.recorded != event.total
                self._wake.set()
            case Stopping():
                self._messages.append(
                    f"Stopping: {event.in_flight} in flight are being finished. "
                    "Ctrl-C again stops at once."
                )
                self._wake.set()
            case Waiting() | SourceRecognised() | BatchReported():
                self._messages.append(printable(event.text))
                self._wake.set()
            case RunEnded():
                self.close()

    def close(self) -> None:
        """Take the display down, so that others can write to the terminal. Twice is fine."""
        self._closed.set()
        self._wake.set()
        self._thread.join()

    def _show(self) -> None:
        leave_signals_to_main()
        if self._closed.wait(self._delay_s) and not self._messages and self._delay_s:
            return
        # A terminal that was closed must not end the run.
        with contextlib.suppress(OSError, ValueError), self._display:
            while not self._closed.is_set():
                self._wake.wait(self._display.interval_s)
                self._wake.clear()
                self._update()
            self._update()

    def _update(self) -> None:
        while self._messages:
            self._display.show_message(self._messages.popleft())
        if self._has_started:
            stats = self.stats
            self._throughput = self._throughput or Throughput(stats.started_s)
            self._throughput.update(stats.done + stats.failed, stats.usage.completion_tokens)
            self._display.show_progress(stats, self._throughput)
        else:
            self._display.show_loading()
