"""How far a run is, on a terminal as a bar and elsewhere as lines, always on stderr.

One thread owns the display and looks at the stats now and then; an event costs the run only its
place in the stats.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import Self, TextIO

from oumi.cli.display import Pace, display
from oumi.runner.events import Event, RunEnded, RunStarted, Stopping
from oumi.runner.loop import leave_signals_to_main
from oumi.runner.stats import RunStats


class Progress:
    """A listener to a run, and a context manager around it. `stats` holds the run's figures.

    With None for a stream, nothing is shown.
    """

    def __init__(self, stream: TextIO | None):
        self.stats = RunStats()
        self._display = display(stream)
        self._sayings: deque[str] = deque()
        self._started = False
        self._ended = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._show, name="oumi-progress", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def is_asking(self) -> bool:
        """Whether the run has begun and not ended: rows may be in flight."""
        return self._started and self.stats.ended_s is None

    def __call__(self, event: Event) -> None:
        """Take an event of the run."""
        self.stats.update(event)
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
        leave_signals_to_main()
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
            pace.look(self.stats)
            self._display.update(self.stats, pace)
        else:
            self._display.wait()
