"""What is printed at the end of a file run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from oumi.cli.overrides import mask_keys
from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Usage
from oumi.core.types.result import RowOutcomes
from oumi.data.source import SAMPLE
from oumi.errors import BudgetError, OumiError
from oumi.progress.formatting import format_dollars, format_number
from oumi.runner.cost import no_price
from oumi.runner.stats import NOTICED_WAIT_S, Histogram, RunStats
from oumi.runner.storage.lazy import LazyFailures

_REASONS_SHOWN = 3
_MOST = 0.99


def finished(stats: RunStats, config: InferenceConfig) -> str:
    """The figures of a run that reached its last row."""
    if stats.recorded == stats.total:
        kept = f" in {config.output_path}" if config.output_path != "-" else ""
        return f"Nothing to do: all {stats.total:,} rows were answered before{kept}."
    place = [("answers", str(config.output_path))] if config.output_path != "-" else []
    return _lines([*_figures(stats), *place])


def failed(stats: RunStats, result: RowOutcomes) -> str:
    """How many rows failed, the first few reasons, and the file that holds all of them."""
    lines = [f"{len(result.failures):,} of {stats.total:,} rows failed:"]
    lines += [f"  {reason}" for reason in islice(_reasons(result), _REASONS_SHOWN)]
    if len(result.failures) > _REASONS_SHOWN:
        lines.append(f"  … and {len(result.failures) - _REASONS_SHOWN:,} more")
    if (path := _failures_path(result)) is not None:
        lines.append(f"All of them: {path}. The same command again asks for these rows only.")
    return "\n".join(lines)


def interrupted(stats: RunStats, config: InferenceConfig) -> str:
    """How many answers an interrupted run has recorded, and the command that continues it."""
    if stats.total == 0:
        return f"\nInterrupted {stats.kept(None)}."
    return f"\nInterrupted. {_kept(stats, config)}"


def aborted(stats: RunStats, config: InferenceConfig, error: OumiError) -> str:
    """The same for a run that an error ended; empty where no row was answered. Where a budget is
    used up, which says itself how to go on, the figures.
    """
    if isinstance(error, BudgetError):
        return _lines(_figures(stats))
    return _kept(stats, config) if stats.finished else ""


def _lines(figures: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{name:<9} {text}" for name, text in figures)


def _figures(stats: RunStats) -> Iterator[tuple[str, str]]:
    seconds, usage = stats.elapsed_s, stats.usage
    before = f", {stats.recorded:,} answered before" if stats.recorded else ""
    yield "rows", f"{stats.done:,} done, {stats.failed:,} failed{before}"
    if stats.num_samples > 1 and stats.total:
        rows = stats.total // stats.num_samples
        yield "samples", f"{stats.num_samples:,} of each of {rows:,} rows"
    if stats.from_cache:
        yield "cache", f"{stats.from_cache:,} rows from the cache"
    yield "time", f"{seconds:.2f} s, {format_number((stats.done + stats.failed) / seconds)} rows/s"
    yield (
        "tokens",
        f"{_prompt_tokens(usage)}, {usage.completion_tokens:,} out, "
        f"{format_number(usage.completion_tokens / seconds)}/s out",
    )
    if not stats.latency.is_empty:  # as it is where a batch has answered all rows
        yield "latency", _quantiles(stats.latency)
    if stats.waited.quantile(_MOST) >= NOTICED_WAIT_S:
        yield "waited", f"{_quantiles(stats.waited)} (for limits and failed tries)"
    if stats.retries:
        reasons = ", ".join(f"{n:,} × {reason}" for reason, n in stats.retries.most_common())
        yield "retries", reasons
    if stats.repairs:
        yield "repairs", f"{stats.repairs:,} answers did not fit, and others were asked for"
    if stats.price is not None:
        cost = stats.cost
        unknown = f"unknown: {no_price(stats.price)}"
        yield "cost", format_dollars(cost) if cost is not None else unknown


def _quantiles(durations: Histogram) -> str:
    shares = {"p50": 0.5, "p90": 0.9, "p99": _MOST}
    return ", ".join(f"{name} {durations.quantile(share):.3f} s" for name, share in shares.items())


def _prompt_tokens(usage: Usage) -> str:
    """How many there are, and what a cache had to do with them."""
    counts = {
        "read from a cache": usage.cached_tokens,
        "written to one": usage.cache_creation_tokens,
    }
    apart = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"{usage.prompt_tokens:,} in" + (f" ({apart})" if apart else "")


def _reasons(result: RowOutcomes) -> Iterator[str]:
    """The place of each failed row, and the reason."""
    path = _failures_path(result)
    if path is None:
        for row in result.failed_indices:
            yield f"row {row}: {result.failures[row].error_message}"
        return
    with path.open("rb") as file:
        for line in map(orjson.loads, file):
            yield f"{_place(line)}: {line['failure']['error_message']}"


def _place(failed: Mapping[str, Any]) -> str:
    """Where a row of the failures file stands in the input."""
    row = f"row {failed['row']}"
    place = f"line {failed['line']} ({row})" if "line" in failed else row
    return f"{place}, sample {failed[SAMPLE]}" if SAMPLE in failed else place


def _kept(stats: RunStats, config: InferenceConfig) -> str:
    if config.output_path == "-":
        return f"{stats.kept(None)}."
    command = shlex.join(["oumi", *mask_keys(sys.argv[1:])])
    again = " (with the same input)" if config.input_path == "-" else ""
    return f"{stats.kept(config.output_path)}. To go on{again}:\n  {command}"


def _failures_path(result: RowOutcomes) -> Path | None:
    """The file of failures; None where there is none since the output was printed."""
    if isinstance(result.failures, LazyFailures) and result.failures.path.exists():
        return result.failures.path
    return None
