"""Durations and sizes as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

from oumi.errors import ConfigError

_NUMBER = r"(\d+(?:\.\d+)?)\s*"
_DURATION = re.compile(_NUMBER + "([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SIZE = re.compile(_NUMBER + "([kmgt]?)(i?)b?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def parse_duration(name: str, text: str) -> timedelta:
    """`24h`, `30m`, `90s` or `7d`, as the value of a setting or an option. Raises ConfigError."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or float(match[1]) == 0:
        raise ConfigError(
            f"{name}: {text!r} is no duration; expected a number and a unit, such as 90s, 30m, 24h "
            "or 7d"
        )
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def parse_size(name: str, text: str) -> int:
    """Bytes: `500MB`, `2GB`, or `2GiB` in powers of 1024. Raises ConfigError."""
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None:
        raise ConfigError(
            f"{name}: {text!r} is no size; expected a number and a unit, such as 500MB, 2GB or 1GiB"
        )
    return int(float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2]])
