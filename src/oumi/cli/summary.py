"""What is said at the end of a file run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson

from oumi.cli.overrides import mask_keys
from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import InferenceResult
from oumi.runner.display import dollars, number
from oumi.runner.saved import SavedFailures
from oumi.runner.tally import Tally

_REASONS_SHOWN = 3


def finished(tally: Tally, config: InferenceConfig) -> str:
    """The figures of a run that went through all rows."""
    if tally.recorded == tally.total:
        kept = f" in {config.output_path}" if config.output_path != "-" else ""
        return f"Nothing to do: all {tally.total:,} rows were answered before{kept}."
    return "\n".join(f"{name:<9} {text}" for name, text in _figures(tally, config))


def failed(tally: Tally, result: InferenceResult) -> str:
    """How many rows failed, the first reasons, and where all of them are."""
    lines = [f"{len(result.failures):,} of {tally.total:,} rows failed:"]
    lines += [f"  {reason}" for reason in islice(_reasons(result), _REASONS_SHOWN)]
    if len(result.failures) > _REASONS_SHOWN:
        lines.append(f"  … and {len(result.failures) - _REASONS_SHOWN:,} more")
    if (path := _failures_path(result)) is not None:
        lines.append(f"All of them: {path}. The same command again asks for these rows only.")
    return "\n".join(lines)


def interrupted(tally: Tally, config: InferenceConfig) -> str:
    """What is kept of an interrupted run, and how it goes on."""
    if tally.total == 0:
        return "\nInterrupted before the first row; nothing was changed."
    return f"\nInterrupted. {_kept(tally, config)}"


def broken_off(tally: Tally, config: InferenceConfig) -> str:
    """The same for a run that an error ended; empty where nothing was begun."""
    return _kept(tally, config) if tally.finished else ""


def _figures(tally: Tally, config: InferenceConfig) -> Iterator[tuple[str, str]]:
    seconds, usage = tally.elapsed_s, tally.usage
    before = f", {tally.recorded:,} answered before" if tally.recorded else ""
    yield "rows", f"{tally.done:,} done, {tally.failed:,} failed{before}"
    yield "time", f"{seconds:.2f} s, {number((tally.done + tally.failed) / seconds)} rows/s"
    yield (
        "tokens",
        f"{usage.prompt_tokens:,} in, {usage.completion_tokens:,} out, "
        f"{number(usage.completion_tokens / seconds)}/s out",
    )
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
    latencies = [f"{name} {tally.latency.quantile(share):.3f} s" for name, share in shares.items()]
    yield "latency", ", ".join(latencies)
    if tally.retries:
        reasons = ", ".join(f"{n:,} × {reason}" for reason, n in tally.retries.most_common())
        yield "retries", reasons
    if tally.asked_again:
        yield "repairs", f"{tally.asked_again:,} answers did not fit, and others were asked for"
    if tally.price is not None:
        cost = tally.cost
        unknown = f"unknown: no price is published for {tally.price.model}"
        yield "cost", dollars(cost) if cost is not None else unknown
    if config.output_path != "-":
        yield "answers", str(config.output_path)


def _reasons(result: InferenceResult) -> Iterator[str]:
    """Where each failed row stands, and why it failed."""
    path = _failures_path(result)
    if path is None:
        for row in result.failed_indices:
            yield f"row {row}: {result.failures[row].error_message}"
        return
    with path.open("rb") as file:
        for line in map(orjson.loads, file):
            yield f"line {line['line']} (row {line['row']}): {line['failure']['error_message']}"


def _kept(tally: Tally, config: InferenceConfig) -> str:
    done = f"{tally.finished:,} of {tally.total:,} rows are done"
    if config.output_path == "-":
        return f"{done}, but not kept: with --output_path FILE a run can go on where it stopped."
    command = shlex.join(["oumi", *mask_keys(sys.argv[1:])])
    again = " (with the same input)" if config.input_path == "-" else ""
    return f"{done} and kept in {config.output_path}.journal. To go on{again}:\n  {command}"


def _failures_path(result: InferenceResult) -> Path | None:
    """The failures file, unless it went with an output that was printed."""
    if isinstance(result.failures, SavedFailures) and result.failures.path.exists():
        return result.failures.path
    return None
