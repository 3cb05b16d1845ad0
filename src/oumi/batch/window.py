"""How long a batch job may take: `remote_params.batch_completion_window`."""

from __future__ import annotations

from datetime import timedelta

from oumi.core.quantities import parse_duration
from oumi.errors import ConfigError


def parse_window(text: str) -> timedelta:
    """`24h`, `30m`, `90s` or `7d` as a duration. Raises ConfigError."""
    return parse_duration("remote_params.batch_completion_window", text)


def check_window(engine: str, window: str, only: timedelta) -> None:
    """Raise ConfigError for any window but the one that an API takes, in whole hours."""
    if parse_window(window) != only:
        raise ConfigError(
            f"remote_params.batch_completion_window: {window!r}, and {engine} takes "
            f"{only // timedelta(hours=1)}h"
        )


def whole_hours(engine: str, window: str) -> int:
    """A window in whole hours, which is how some APIs count. Raises ConfigError for any other."""
    hours = parse_window(window) / timedelta(hours=1)
    if hours != int(hours):
        raise ConfigError(
            f"remote_params.batch_completion_window: {window!r}, and {engine} takes whole hours, "
            "such as 24h or 7d"
        )
    return int(hours)
