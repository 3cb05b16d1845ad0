"""How long a batch job may take: `remote_params.batch_completion_window`."""

from __future__ import annotations

from datetime import timedelta

from oumi.core.quantities import parse_duration


def parse_window(text: str) -> timedelta:
    """`24h`, `30m`, `90s` or `7d` as a duration. Raises ConfigError."""
    return parse_duration("remote_params.batch_completion_window", text)
