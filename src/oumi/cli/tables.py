"""Tables on standard output."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

_PLAIN_WIDTH = 200
"""Columns where the output is no terminal: wide enough for every cell to stay on one line."""


def print_table(table: Table) -> None:
    """Print a table as wide as the terminal. Text in its cells is printed as it is."""
    console = Console()
    if not console.is_terminal:
        console.width = _PLAIN_WIDTH
    console.print(table, highlight=False, markup=False)
