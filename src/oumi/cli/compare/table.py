"""The runs in a table: a line each."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from oumi.cli.tables import print_table
from oumi.core.printable import printable_line
from oumi.progress.formatting import format_dollars
from oumi.report.agreement import Agreement
from oumi.report.comparison import ComparedRun

_NOTHING = "–"
_ANY_WIDTH = 10_000
"""More columns than any terminal has: a table is never measured as wider than its console."""
_COLUMNS = ("done", "failed", "tokens out", "cost", "latency p50", "p90", "same as first")


def print_comparison(names: Sequence[str], runs: Sequence[ComparedRun | None]) -> None:
    """Print the figures of each run beside its name; None for one that was not begun. On a narrow
    terminal a number stands for the name, which is said below.
    """
    table = _table(names, runs)
    console = Console()
    wanted = console.measure(table, options=console.options.update(width=_ANY_WIDTH)).maximum
    if not console.is_terminal or wanted <= console.width:
        print_table(table)
        return
    numbers = [str(number) for number in range(1, len(names) + 1)]
    print_table(_table(numbers, runs))
    click.echo()
    for number, name in zip(numbers, names, strict=True):
        click.echo(printable_line(f"{number}  {name}"))


def _table(names: Sequence[str], runs: Sequence[ComparedRun | None]) -> Table:
    table = Table("run", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for name, run in zip(names, runs, strict=True):
        cells = [_NOTHING] * len(_COLUMNS) if run is None else _cells(run)
        table.add_row(Text(name), *cells)
    return table


def _cells(run: ComparedRun) -> list[str]:
    latencies = [_NOTHING] * 2 if run.latency_s is None else [f"{s:.3f} s" for s in run.latency_s]
    return [
        f"{run.done:,}",
        f"{run.failed:,}",
        f"{run.completion_tokens:,}",
        _cost(run),
        *latencies,
        _agreement(run.agreement),
    ]


def _cost(run: ComparedRun) -> str:
    if run.cost_usd is not None:
        return format_dollars(run.cost_usd)
    return _NOTHING if run.cost_note is None else "unknown"


def _agreement(found: Agreement | None) -> str:
    if found is None or not found.both:
        return _NOTHING
    return f"{found.same / found.both:.0%} of {found.both:,}"
