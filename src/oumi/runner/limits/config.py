"""The limits that the user sets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oumi.errors import ConfigError

if TYPE_CHECKING:
    from oumi.core.configs.remote_params import RemoteParams


_PER_MINUTE = ("requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user allows. None: no such limit."""

    in_flight: int = 32
    """Requests in flight at once, at most."""
    requests_per_minute: int | None = None
    input_tokens_per_minute: int | None = None
    output_tokens_per_minute: int | None = None
    politeness_s: float = 0.0
    """Any stretch of this many seconds holds at most `in_flight` starts; 0: no such limit."""
    adaptive: bool = True
    """Whether fewer than `in_flight` may be in flight where the server bears no more."""
    max_wait_s: float = float("inf")
    """The longest pause that a server may ask for."""

    def divided(self, count: int) -> Limits:
        """The share of each of `count` runs at the same time, which together keep to the limits.
        Requests in flight are divided where starts in any stretch of time are limited by them.

        Raises ConfigError for a limit of which there is not enough for all.
        """
        shares = {name: _share(getattr(self, name), count, name) for name in _PER_MINUTE}
        if self.politeness_s:
            name = "num_workers under a politeness_policy"
            shares["in_flight"] = _share(self.in_flight, count, name)
        return replace(self, **shares)

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
            max_wait_s=params.max_wait_s,
        )


def _share(limit: int | None, count: int, name: str) -> int | None:
    if limit is None:
        return None
    if limit < count:
        raise ConfigError(
            f"{name}: {limit} cannot be divided among {count} parts at once: have {limit} parts at "
            f"most, or allow {count} at least"
        )
    return limit // count
