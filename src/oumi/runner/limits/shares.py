"""Limits that several runs at the same time keep to together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from oumi.errors import ConfigError
from oumi.runner.limits.config import Limits

_PER_MINUTE = ("requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute")


def share_of(limits: Limits, count: int) -> Limits:
    """The share of each of `count` runs. Requests in flight are divided where they limit how many
    start in a stretch of time.

    Raises ConfigError for a limit of which there is not enough for all.
    """
    shares: dict[str, Any] = {
        name: _divided(limit, count, name)
        for name in _PER_MINUTE
        if (limit := getattr(limits, name)) is not None
    }
    if limits.politeness_s:
        name = "num_workers under a politeness_policy"
        shares["in_flight"] = _divided(limits.in_flight, count, name)
    return replace(limits, **shares)


def _divided(limit: int, count: int, name: str) -> int:
    if limit < count:
        raise ConfigError(
            f"{name}: {limit} cannot be divided among {count} parts at once: have {limit} parts at "
            f"most, or allow {count} at least"
        )
    return limit // count
