"""Runs of one input side by side, in figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from oumi.report.agreement import Agreement, AnswerHashes
from oumi.report.figures import Figures
from oumi.report.properties import parse_answer
from oumi.report.row import RowStatus
from oumi.report.run_rows import RunRows


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run beside the first one."""

    done: int
    failed: int
    completion_tokens: int
    cost_usd: float | None
    """None where answers cost nothing, or the price is not known."""
    cost_note: str | None
    """Why the cost is not known."""
    latency_s: tuple[float, float] | None
    """Of requests, the median and the 90th percentile; None where the journal holds none."""
    agreement: Agreement | None
    """With the first run; None for that one."""


def compare_runs(runs: Iterable[tuple[RunRows, int]]) -> list[ComparedRun]:
    """The figures of runs of the same input in the same order, each given with its number of
    samples a row. Raises InputError for a file that cannot be read.
    """
    compared: list[ComparedRun] = []
    first: AnswerHashes | None = None
    for rows, num_samples in runs:
        answers, figures = AnswerHashes(num_samples), _new_figures(rows)
        for row in rows:
            value = parse_answer(row.answer)
            figures.add(row, value)
            answers.add(row, value)
        agreement = None if first is None else first.agreement(answers)
        compared.append(_compared(rows, figures, agreement))
        first = first or answers
    return compared


def _new_figures(rows: RunRows) -> Figures:
    return Figures(None if rows.summary is None else rows.summary.price)


def _compared(rows: RunRows, figures: Figures, agreement: Agreement | None) -> ComparedRun:
    found = figures.to_dict()
    statuses, latency = found["statuses"], found["latency_s"]
    summary = rows.summary
    return ComparedRun(
        done=statuses.get(RowStatus.DONE, 0) + statuses.get(RowStatus.REPAIRED, 0),
        failed=statuses.get(RowStatus.FAILED, 0),
        completion_tokens=found["usage"]["completion_tokens"],
        cost_usd=found["cost_usd"] if summary is None else summary.cost_usd,
        cost_note=None if summary is None else summary.cost_note,
        latency_s=(latency["p50"], latency["p90"]) if latency["buckets"] else None,
        agreement=agreement,
    )
