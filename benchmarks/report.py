"""Plain tables, and figures from several runs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import TypeVar

Figure = TypeVar("Figure")


def alternate(runs: int, *measures: Callable[[], Figure]) -> list[list[Figure]]:
    """Each measure's figures, taken in turn so that a drifting machine is fair to all."""
    figures: list[list[Figure]] = [[] for _ in measures]
    for _ in range(runs):
        for measure, taken in zip(measures, figures, strict=True):
            taken.append(measure())
    return figures


def median(figures: Sequence[float]) -> float:
    """The middle figure."""
    return statistics.median(figures)


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """The middle of the ratios, run by run."""
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    print(f"\n{title}\n\n{line(head)}\n|{'|'.join('-' * (w + 2) for w in widths)}|")
    for row in rows:
        print(line(row))
