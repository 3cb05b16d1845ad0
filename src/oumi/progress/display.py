"""Where progress is shown: a bar on a terminal or in a notebook, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from oumi.progress.line import progress_line
from oumi.progress.workers import worker_lines
from oumi.runner.stats import RunStats
from oumi.runner.throughput import Throughput

_BAR_INTERVAL_S = 0.2
"""A bar is drawn five times a second: it looks alive, and costs the run next to nothing."""

_NOTEBOOK_INTERVAL_S = 0.5
"""Each update of a notebook is a message to the browser."""

_LINE_INTERVAL_S = 10.0
"""A log file gets a line every ten seconds, some hundred lines an hour."""

_LEAST_BAR_WIDTH = 10
"""Columns of a bar that can still be read."""


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


class _BarAndLines(Progress):
    """A bar with lines below it."""

    lines: Sequence[str] = ()

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, then the lines."""
        yield from super().get_renderables()
        yield from (Text(line, no_wrap=True, style="dim") for line in self.lines)


class _TerminalBar(Display):
    interval_s = _BAR_INTERVAL_S

    def __init__(self, console: Console):
        self._bar = _BarAndLines(
            TextColumn("{task.description}", markup=False),
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
        width = self._bar.console.width - _LEAST_BAR_WIDTH - 1
        line = progress_line(stats, throughput, width)
        ended = stats.finished + stats.failed
        self._bar.lines = worker_lines(stats.workers, self._bar.console.width)
        self._bar.update(self._task, description=line, total=stats.total, completed=ended)
        self._bar.refresh()

    def show_message(self, text: str) -> None:
        self._bar.console.print(text, highlight=False, markup=False)


class _NotebookBar(Display):
    """One output of a cell, drawn anew; HTML's own bar, so that no widgets have to be installed."""

    interval_s = _NOTEBOOK_INTERVAL_S

    def __init__(self) -> None:
        self._handle: Any = None

    def show_progress(self, stats: RunStats, throughput: Throughput) -> None:
        ended = stats.finished + stats.failed
        known = "" if stats.total is None else f' max="{stats.total}" value="{ended}"'
        bar = f"<progress{known}></progress>"
        workers = "\n".join(worker_lines(stats.workers))
        below = f"<pre>{escape(workers)}</pre>" if workers else ""
        self._show(f"{bar} {escape(progress_line(stats, throughput))}{below}")

    def show_message(self, text: str) -> None:
        shell = _ipython_display()
        shell.display(shell.HTML(f"<div>{escape(text)}</div>"))

    def _show(self, html: str) -> None:
        shell = _ipython_display()
        if self._handle is None:
            self._handle = shell.display(shell.HTML(html), display_id=True)
        else:
            self._handle.update(shell.HTML(html))


class _Lines(Display):
    interval_s = _LINE_INTERVAL_S

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._last_ended = -1

    def show_progress(self, stats: RunStats, throughput: Throughput) -> None:
        ended = stats.finished + stats.failed
        if ended != self._last_ended:
            self._last_ended = ended
            for line in (progress_line(stats, throughput), *worker_lines(stats.workers)):
                self.show_message(line)

    def show_message(self, text: str) -> None:
        print(text, file=self._stream, flush=True)


def make_display(stream: TextIO | None) -> Display:
    """A bar for a notebook or a terminal that can redraw a line, lines for any other stream,
    nothing for None.
    """
    if stream is None:
        return Display()
    if stream is sys.stderr and is_notebook():
        return _NotebookBar()
    console = Console(file=stream)
    can_redraw = stream.isatty() and not console.is_dumb_terminal
    return _TerminalBar(console) if can_redraw else _Lines(stream)


def _ipython_display() -> Any:
    from IPython import display

    return display


def is_notebook() -> bool:
    """Whether this is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
