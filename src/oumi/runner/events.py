"""What happens in a run, as values, for whoever listens. An event never holds a live object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from oumi.errors import OumiError
from oumi.runner.limits.status import LimiterStatus, time_text
from oumi.runner.worker_status import WorkerStatus

if TYPE_CHECKING:
    from oumi.core.types.answer import Answer
    from oumi.core.types.failure import Failure
    from oumi.core.types.usage import Usage
    from oumi.runner.cost import Price


@dataclass(frozen=True, slots=True)
class SourceRecognised:
    """What the columns of the input were taken for."""

    text: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first rows are read and checked, of a small input all. `recorded` of these have an answer
    from before.
    """

    total: int | None
    recorded: int
    engine: str
    output_path: str | None
    price: Price | None = None
    """None where answers cost nothing."""
    is_estimate: bool = False
    """Whether `total` is one, or None where nothing can be told. `RowsCounted` follows then."""
    num_samples: int = 1
    """How many of the rows are answers to the same row of the input."""


@dataclass(frozen=True, slots=True)
class RowsCounted:
    """What is known by now of the rows, while more of them are read and checked."""

    total: int | None
    recorded: int
    is_estimate: bool


class RowDone(NamedTuple):
    """A row has its answer, and the answer is recorded."""

    row: int
    answer: Answer
    """As it is handed out; one that was valid at once does not say yet that it is `native`."""
    latency_s: float | None
    """Seconds that the requests took which were answered: one, or with repairs several. None for an
    answer of a batch: how long that took says nothing of a row."""
    waited_s: float = 0.0
    """All other seconds: for a place in the limits, and for tries that failed."""
    usage: Usage | None = None
    """Tokens of this session, where they are not those of the answer."""

    @property
    def completion(self) -> Answer:
        """The answer, by its name before there were embeddings."""
        return self.answer


class RowFailed(NamedTuple):
    """A row has no answer."""

    row: int
    failure: Failure
    latency_s: float | None
    """As of a row that is done."""
    waited_s: float = 0.0
    usage: Usage | None = None
    """Tokens of this session that were paid for all the same."""


@dataclass(frozen=True, slots=True)
class RowRetried:
    """A try failed, and another one follows in `wait_s` seconds."""

    row: int
    error: OumiError
    wait_s: float


@dataclass(frozen=True, slots=True)
class RowRepaired:
    """An answer is recorded but not valid, and the model is asked for a further one."""

    row: int
    problem: str


@dataclass(frozen=True, slots=True)
class LimitsReported:
    """What the limiter does at this moment; several times a second, and once at the end."""

    status: LimiterStatus


@dataclass(frozen=True, slots=True)
class WorkersReported:
    """How the workers of a cluster stand, as often as the limiter. Never without a cluster."""

    workers: tuple[WorkerStatus, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing is asked until a time, or in an outage until the server is back: until then at most.

    Said at once of an outage, and of a pause that a server asks for if it is over a minute.
    """

    reason: str
    """In the words of the server, or what failed."""
    until: datetime
    """With the time zone of this machine."""
    is_outage: bool

    @property
    def text(self) -> str:
        """In words."""
        until = time_text(self.until)
        if self.is_outage:
            return f"waiting for the server, until {until} at most: {self.reason}"
        return f"waiting until {until}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Resumed:
    """The wait is over."""


@dataclass(frozen=True, slots=True)
class BatchReported:
    """How far the batch job is that answers the rows, each time that this has changed."""

    text: str


@dataclass(frozen=True, slots=True)
class Stopping:
    """No further row is begun; `in_flight` are being finished."""

    in_flight: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """Nothing is in flight any more."""


Event = (
    SourceRecognised
    | RunStarted
    | RowsCounted
    | RowDone
    | RowFailed
    | RowRetried
    | RowRepaired
    | LimitsReported
    | WorkersReported
    | Waiting
    | Resumed
    | BatchReported
    | Stopping
    | RunEnded
)
Listener = Callable[[Event], None]
