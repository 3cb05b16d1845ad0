"""`oumi infer --dry_run` and `--pilot`: what a run will take, before it is asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from oumi.core.configs import InferenceConfig
from oumi.core.configs.loading import to_text
from oumi.core.printable import printable
from oumi.core.types.estimate import Range, RunEstimate
from oumi.inference import build_engine
from oumi.progress.formatting import format_dollars, format_duration
from oumi.progress.progress import Progress

_SHOWN_CHARACTERS = 1_000
"""Of a prompt: three of them fill a screen."""


def print_estimate(config: InferenceConfig, pilot: int, *, quiet: bool) -> int:
    """Print what a run will take, once `pilot` rows are asked. Returns the exit code.

    With `quiet` neither settings nor prompts are shown, nor the progress of the pilot.
    """
    with Progress(None if quiet or not pilot else sys.stderr) as progress:
        engine = build_engine(config)
        try:
            estimate = engine.estimate(None, config, pilot=pilot, on_event=progress, progress=False)
        finally:
            progress.close()
            engine.close()
    if not quiet:
        click.echo(printable(_examples(estimate, config)))
    click.echo(printable(figures(estimate, config)))
    return 0


def figures(estimate: RunEstimate, config: InferenceConfig) -> str:
    """The figures, one a line."""
    return "\n".join(f"{name:<9} {text}" for name, text in _figures(estimate, config))


def _examples(estimate: RunEstimate, config: InferenceConfig) -> str:
    settings = to_text(config.to_dict(only_set=True)).rstrip()
    parts = [f"settings:\n{settings}"]
    for number, prompt in enumerate(estimate.prompts, start=1):
        parts.append(f"prompt {number} of {estimate.left:,}:\n{_shortened(prompt)}")
    return "\n".join(part.replace("\n", "\n  ") + "\n" for part in parts)


def _shortened(prompt: str) -> str:
    left = len(prompt) - _SHOWN_CHARACTERS
    return prompt if left <= 0 else f"{prompt[:_SHOWN_CHARACTERS]}… ({left:,} more characters)"


def _figures(estimate: RunEstimate, config: InferenceConfig) -> Iterator[tuple[str, str]]:
    yield "engine", f"{estimate.engine}, {estimate.model}"
    yield "rows", _rows(estimate)
    if not estimate.left:
        return
    source = "counted" if estimate.counted else "estimated from the text"
    yield "prompts", f"{_number(estimate.prompt_tokens)} tokens, {source}"
    source = f"by {estimate.sample:,} of them" if estimate.sample else "by max_new_tokens"
    yield "answers", f"{_number(estimate.completion_tokens)} tokens, {source}"
    if estimate.cost_usd is not None:
        yield "cost", _dollars(estimate.cost_usd)
    elif estimate.cost_note is not None:
        yield "cost", f"unknown: {estimate.cost_note}; settings under price can give one"
    if estimate.batch_cost_usd is not None:
        yield "in batch", _dollars(estimate.batch_cost_usd)
    if estimate.duration_s is not None:
        yield "time", f"at least {_duration(estimate.duration_s)}, by {estimate.duration_limit}"
    if may_end := _limits_reached(estimate, config):
        yield "budget", f"{' and '.join(may_end)} may be reached before the last row"


def _rows(estimate: RunEstimate) -> str:
    counts = {
        "answered already": estimate.answered,
        "that cannot be asked": estimate.unusable,
        "to be asked": estimate.left,
    }
    parts = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    return f"{estimate.rows:,}, {parts}" if parts else "none"


def _limits_reached(estimate: RunEstimate, config: InferenceConfig) -> list[str]:
    """The settings that the rows may reach by what these take, besides what was spent before."""
    tokens = estimate.prompt_tokens.high + estimate.completion_tokens.high
    cost = estimate.cost_usd.high if estimate.cost_usd else 0.0
    limits = {
        "max_cost_usd": config.max_cost_usd is not None and cost > config.max_cost_usd,
        "max_total_tokens": config.max_total_tokens is not None
        and tokens > config.max_total_tokens,
    }
    return [name for name, is_reached in limits.items() if is_reached]


def _number(amount: Range) -> str:
    return _joined(f"{amount.low:,.0f}", f"{amount.high:,.0f}")


def _dollars(amount: Range) -> str:
    return _joined(format_dollars(amount.low), format_dollars(amount.high))


def _duration(amount: Range) -> str:
    return _joined(format_duration(amount.low), format_duration(amount.high))


def _joined(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"
