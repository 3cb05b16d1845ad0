"""What is known about limits at one moment: a server's, as it reports them, and ours."""

from __future__ import annotations

from dataclasses import dataclass


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
