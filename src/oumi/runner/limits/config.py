"""The limits that the user sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oumi.core.configs.remote_params import RemoteParams


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
    spread: bool = True
    """Whether starts are spread evenly; otherwise a minute's worth of them may be at once."""

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
