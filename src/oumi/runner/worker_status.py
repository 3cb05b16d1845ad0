"""How one worker of a cluster stands at one moment."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class WorkerState(StrEnum):
    """What a worker does."""

    STARTING = "starting"
    """It waits for a place on the cluster, or loads its model."""

    READY = "ready"
    """It is given rows."""

    LOST = "lost"
    """It is gone, and others have its rows."""

    LEFT_OUT = "left out"
    """It holds another model than the others, and is given nothing."""


class WorkerStatus(NamedTuple):
    """A snapshot of a worker."""

    name: str
    """As messages call it: `worker 3`."""
    node: str | None
    """The host that it runs on; None until it says so."""
    state: WorkerState
    in_flight: int = 0
    """Rows that it has."""
    rows: int = 0
    """Rows that it gave an outcome."""
    tokens: int = 0
    """Tokens of its answers."""
    rows_per_s: float = 0.0
    """Over the last seconds, as in the progress of the run."""
    tokens_per_s: float = 0.0
