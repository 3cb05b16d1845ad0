"""The part of a run in which a batch API answers its rows, before any is asked by itself."""

from __future__ import annotations

from typing import Protocol

from oumi.data.source import Source
from oumi.runner.events import Listener
from oumi.runner.stop_signal import StopSignal
from oumi.runner.storage.row_store import RowStore


class BatchPhase(Protocol):
    """What answers rows by a batch job. The rows that it leaves open are asked one by one."""

    async def run(
        self, source: Source, store: RowStore, notify: Listener, stop: StopSignal
    ) -> None:
        """Have the rows that the store does not hold answered, and record what becomes of them.
        What the cache has is not submitted, and new answers are put there.

        Raises RunStoppedError where the run is stopped, which the job outlives, and what ends the
        run.
        """
        ...
