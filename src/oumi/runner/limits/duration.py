"""How long requests take under the limits that are set, and no other."""

from __future__ import annotations

from typing import NamedTuple

from oumi.core.types.estimate import Range
from oumi.runner.limits.config import Limits
from oumi.runner.limits.gates import WINDOW_S


class LeastDuration(NamedTuple):
    """The time that a limit asks for."""

    seconds: Range
    setting: str
    """The name of the limit."""


def least_duration(
    limits: Limits, requests: int, prompt_tokens: Range, completion_tokens: Range
) -> LeastDuration | None:
    """The longest of the times that the limits ask for; None where none is set."""
    per_minute = (
        ("requests_per_minute", limits.requests_per_minute, Range(requests, requests)),
        ("input_tokens_per_minute", limits.input_tokens_per_minute, prompt_tokens),
        ("output_tokens_per_minute", limits.output_tokens_per_minute, completion_tokens),
    )
    durations = [
        LeastDuration(Range(*(WINDOW_S * amount / limit for amount in amounts)), setting)
        for setting, limit, amounts in per_minute
        if limit is not None
    ]
    if limits.politeness_s > 0:
        seconds = limits.politeness_s * requests / limits.in_flight
        durations.append(LeastDuration(Range(seconds, seconds), "politeness_policy"))
    if not durations:
        return None
    longest = max(durations, key=lambda duration: duration.seconds.high)
    low = max(duration.seconds.low for duration in durations)
    return LeastDuration(Range(low, longest.seconds.high), longest.setting)
