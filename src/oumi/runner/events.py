"""What happens in a run, as values, for whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from oumi.core.types.completion import Completion, Usage
from oumi.core.types.result import Failure
from oumi.errors import OumiError
from oumi.runner.cost import Price
from oumi.runner.limits.limiter import Limiter


@dataclass(frozen=True, slots=True)
class RunStarted:
    """All rows are read and checked; `recorded` of `total` have an answer from before."""

    total: int
    recorded: int
    engine: str
    output_path: str | None
    price: Price | None = None
    """None where answers cost nothing."""
    limiter: Limiter | None = None


@dataclass(frozen=True, slots=True)
class RowDone:
    """A row has its answer, and the answer is recorded."""

    row: int
    completion: Completion
    """As it is handed out; one that fits as it came does not say yet that it is `native`."""
    latency_s: float
    usage: Usage | None = None
    """Tokens of this session, where they are not those of the completion."""


@dataclass(frozen=True, slots=True)
class RowFailed:
    """A row has no answer."""

    row: int
    failure: Failure
    latency_s: float
    usage: Usage | None = None
    """Tokens that were paid for in this session all the same."""


@dataclass(frozen=True, slots=True)
class RowRetried:
    """A try failed, and another one follows in `wait_s` seconds."""

    row: int
    error: OumiError
    wait_s: float


@dataclass(frozen=True, slots=True)
class RowAskedAgain:
    """An answer is recorded but does not have the form asked for, and a further one follows."""

    row: int
    problem: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """No further row is begun; `in_flight` are being finished."""

    in_flight: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Nothing is in flight any more."""


Event = RunStarted | RowDone | RowFailed | RowRetried | RowAskedAgain | Stopping | RunEnded
Listener = Callable[[Event], None]
