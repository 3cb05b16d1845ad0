"""The rows that a run has to ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

from oumi.data.check import CheckedRows
from oumi.data.source import Row
from oumi.runner.events import RowsCounted

_ROWS_PER_TURN = 16  # recorded rows that are passed over at once, in a fraction of a millisecond

_SLICE_S = 0.005  # a reply that comes meanwhile waits so long: less than networks vary by
_PAUSE_S = 0.015  # three times as long, so that most replies do not wait at all
_BUSY = 0.5
"""Share of its time above which the event loop is left alone. Requests are then asked so quickly
that their rows are soon checked anyway, and to read them twice would cost more than it brings."""


class RowQueue:
    """Hands out the rows that have no recorded answer, in the order of the input.

    `checked` are all rows, and `rows` the same as they are to be asked. `is_recorded` looks one up
    among the answers that there are; `recorded` is how many of the first rows have one of an
    earlier run, or with `is_all` how many of all rows.
    """

    def __init__(
        self,
        checked: CheckedRows,
        rows: Iterator[Row],
        is_recorded: Callable[[Row], bool],
        recorded: int,
        *,
        is_all: bool = False,
    ):
        self._checked = checked
        self._rows = rows
        self._is_recorded = is_recorded
        self._passed = 0  # recorded rows that were not handed out
        self._recorded = recorded
        self._is_all = is_all

    @property
    def counts(self) -> RowsCounted:
        """What is known of the rows by now."""
        recorded = self._recorded if self._is_all else max(self._passed, self._recorded)
        total, is_complete = self._checked.estimated_total, self._checked.is_complete
        return RowsCounted(total, recorded, is_estimate=not is_complete)

    def workers(self, most: int) -> int:
        """How many can be busy with the rows at once, `most` at most."""
        return min(most, self._checked.checked) if self._checked.is_complete else most

    async def next(self) -> Row | None:
        """The next row; None where there is none. Raises what is wrong with the input."""
        for row in self._rows:
            if not self._is_recorded(row):
                return row
            self._passed += 1
            if self._passed % _ROWS_PER_TURN == 0:
                await asyncio.sleep(0)  # others get their turn between very many of them
        return None

    async def check_ahead(self) -> None:
        """Check the rows that are not asked yet, in time that the event loop has no other use for,
        until all of them are. Raises InputError.
        """
        while not self._checked.is_complete:
            began_s, worked_s = time.monotonic(), time.thread_time()
            await asyncio.sleep(_PAUSE_S)
            if time.thread_time() - worked_s < _BUSY * (time.monotonic() - began_s):
                self._checked.check(_SLICE_S)
        await asyncio.to_thread(self._checked.finish)
