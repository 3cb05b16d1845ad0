"""What is known about limits at one moment: a server's, as it reports them, and ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_LONGEST_S = 1e10
"""300 years: a server may ask for any wait, and far on there are no dates."""


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """One rate limit as a server reports it: `remaining` of `limit` units are left, and all of
    them are back in `reset_s` seconds."""

    kind: str
    """`requests`, `tokens`, `input_tokens` or `output_tokens`."""
    limit: float
    remaining: float
    reset_s: float


@dataclass(frozen=True, slots=True)
class LimiterStatus:
    """A snapshot of a limiter, for progress lines and run.json."""

    in_flight: int
    allowed: int
    """Requests that may be in flight at once."""
    waiting: int
    rate_per_s: float | None
    """The slowest pace of starts in force: of the settings, the headers or the adaptive rate."""
    starts: int
    overloads: int
    waited_s: float
    """Seconds that all starts together waited for their turn."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Why nothing is asked for a while, in the words of the server or of what failed."""

    reason: str
    left_s: float
    """How long it still lasts; in an outage, at most."""
    is_outage: bool = False

    @property
    def until(self) -> datetime:
        """When it ends, with the time zone of this machine."""
        left = timedelta(seconds=min(max(self.left_s, 0.0), _LONGEST_S))
        return datetime.now().astimezone() + left


def time_text(time: datetime) -> str:
    """A time of day, with the date where that is not today."""
    is_today = time.date() == datetime.now(time.tzinfo).date()
    return time.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M")
