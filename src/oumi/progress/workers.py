"""The workers of a cluster, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from oumi.progress.formatting import format_number
from oumi.runner.worker_status import WorkerState, WorkerStatus

_MOST_LINES = 8
"""Of a hundred workers a terminal has no room for the rest."""
_ALIGN = (str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.ljust)


def worker_lines(workers: Sequence[WorkerStatus], width: int | None = None) -> list[str]:
    """The workers in columns, each in a line of at most `width` characters.

    Of many, those that are not ready come first, and the last line sums the rest up.
    """
    if not workers:
        return []
    shown, rest = list(workers), []
    if len(workers) > _MOST_LINES:
        by_state = sorted(workers, key=lambda worker: worker.state is WorkerState.READY)
        shown, rest = by_state[: _MOST_LINES - 1], by_state[_MOST_LINES - 1 :]
    rows = [_cells(worker) for worker in shown]
    if rest:
        rows.append(_sum(rest))
    return [line[:width] for line in _aligned(rows)]


def _cells(worker: WorkerStatus) -> list[str]:
    return [worker.name, worker.state, *_figures([worker]), worker.node or ""]


def _sum(workers: Sequence[WorkerStatus]) -> list[str]:
    ready = sum(worker.state is WorkerState.READY for worker in workers)
    return [f"{len(workers)} more", f"{ready} ready", *_figures(workers), ""]


def _figures(workers: Sequence[WorkerStatus]) -> list[str]:
    return [
        f"{sum(worker.rows for worker in workers):,} rows",
        f"{sum(worker.in_flight for worker in workers):,} in flight",
        f"{format_number(sum(worker.tokens_per_s for worker in workers))} tokens/s",
    ]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The cells in columns: texts begin below each other, figures end so."""
    columns = []
    for align, cells in zip(_ALIGN, zip(*rows, strict=True), strict=True):
        width = max(map(len, cells))
        columns.append([align(cell, width) for cell in cells])
    return ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
