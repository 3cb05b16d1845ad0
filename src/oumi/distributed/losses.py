"""Workers that were lost, and the rows that they had."""

from __future__ import annotations

import math
import time

from oumi.distributed.link import WorkerLostError
from oumi.errors import EngineError

_ONE_EVENT_S = 3.0
"""Workers that are lost so soon after one another are lost for one reason, such as the end of their
node, for which no row is to blame twice. Ray waits up to a second for the reason of each, so that
those of one node are told of a second apart and more."""
_MOST_LOSSES = 2
"""A row that was with so many workers when they were lost is not given to a third."""


class PoisonRowError(EngineError):
    """Workers that were given this row were lost, one after the other."""

    ends_run = False


class Losses:
    """Counts workers that were lost, those that were lost together as one."""

    def __init__(self) -> None:
        self.count = 0
        self._counted_s = -math.inf

    def add(self) -> None:
        """A worker is lost."""
        now_s = time.monotonic()
        if now_s - self._counted_s > _ONE_EVENT_S:
            self.count += 1
            self._counted_s = now_s


class _Suspect:
    """A row that was with a lost worker, on this node."""

    def __init__(self) -> None:
        self.losses = Losses()
        self.node_id = ""


class Suspects:
    """The rows that were with lost workers, by their keys, until they end."""

    def __init__(self) -> None:
        self._rows: dict[str, _Suspect] = {}

    def lost_on(self, key: str) -> str | None:
        """The node on which a row was lost last; None for one that never was."""
        row = self._rows.get(key)
        return None if row is None else row.node_id

    def add(self, key: str, lost: WorkerLostError) -> None:
        """A row was lost with its worker. Raises PoisonRowError for one that is not to go on."""
        row = self._rows.setdefault(key, _Suspect())
        row.node_id = lost.node_id
        row.losses.add()
        if row.losses.count == _MOST_LOSSES:
            self.remove(key)
            raise PoisonRowError(
                f"{_MOST_LOSSES} workers were lost while they had this row, the last one so: "
                f"{lost}. It is not given to another one."
            ) from lost

    def remove(self, key: str) -> None:
        """A row has ended."""
        self._rows.pop(key, None)
