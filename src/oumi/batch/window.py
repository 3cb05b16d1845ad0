"""How long a batch job may take: `remote_params.batch_completion_window`."""

from __future__ import annotations

import re
from datetime import timedelta

from oumi.errors import ConfigError

_WINDOW = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_window(text: str) -> timedelta:
    """`24h`, `30m`, `90s` or `7d` as a duration. Raises ConfigError."""
    match = _WINDOW.fullmatch(text.strip().lower())
    if match is None or float(match[1]) == 0:
        raise ConfigError(
            f"remote_params.batch_completion_window: {text!r} is no duration; expected a number "
            "and a unit, such as 90s, 30m, 24h or 7d"
        )
    return timedelta(**{_UNITS[match[2]]: float(match[1])})
