"""What a limiter is told, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass

from oumi.core.configs.remote_params import RemoteParams


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows."""

    in_flight: int = 32
    requests_per_minute: int | None = None
    input_tokens_per_minute: int | None = None
    output_tokens_per_minute: int | None = None
    politeness_s: float = 0.0
    adaptive: bool = True

    @classmethod
    def from_params(cls, params: RemoteParams) -> Limits:
        """The limits that the settings ask for."""
        return cls(
            in_flight=params.num_workers,
            requests_per_minute=params.requests_per_minute,
            input_tokens_per_minute=params.input_tokens_per_minute,
            output_tokens_per_minute=params.output_tokens_per_minute,
            politeness_s=params.politeness_policy,
            adaptive=params.use_adaptive_concurrency,
        )


@dataclass(frozen=True, slots=True)
class LimiterState:
    """How things stand, for progress lines and run.json."""

    in_flight: int
    allowed: int
    waiting: int
    rate_per_s: float | None
    """The slowest pace of starts in force, of settings, headers and experience."""
    starts: int
    overloads: int
    waited_s: float
    """Seconds that starts waited for a place or for a rate, all added up."""
