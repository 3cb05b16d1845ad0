"""A run as it stands at this moment: its journal while it lasts, its output once there is one."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from oumi.core.logs import logger
from oumi.errors import InputError, OumiError
from oumi.report.live.counted_rows import CountedRows
from oumi.report.live.journal_places import JournalPlaces
from oumi.report.live.output_places import open_output
from oumi.report.live.query import Query
from oumi.report.live.selection import Selection
from oumi.report.output_rows import output_of
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.journal_reader import last_recorded_at

_TURN_S = 0.3
"""How long a query is worked on in one go: a page that no longer wants its answer stops asking."""
_MOST_CHARACTERS = 16_000_000
"""Of answers in one reply; a page asks for the other rows again."""


class OutdatedError(Exception):
    """A page asked for places in files that are no longer shown."""


class _Shown(NamedTuple):
    """Which file is shown, and in which state it was opened."""

    is_output: bool
    state: tuple[int, ...]


class _Generation(NamedTuple):
    """What holds until other files are shown: places of rows are those of one generation."""

    number: int
    shown: _Shown
    counted: CountedRows


class LiveRun:
    """The run of an output file. One thread calls `advance`, and any may ask.

    Raises InputError where there is no run, StorageError.
    """

    def __init__(self, path: Path):
        self._output = output_of(path)
        shown = self._look()
        if shown is None:
            raise InputError(f"{path}: no such file, and no journal of a run beside it")
        self._now = self._open(1, shown)

    @property
    def name(self) -> str:
        """What the page calls the run."""
        return self._output.name

    def advance(self, seconds: float) -> bool:
        """Find and count rows for about so long; whether there may be more at once. What cannot be
        read at the moment, as while files are being replaced, is logged and tried again.
        """
        try:
            shown, now = self._look(), self._now
            is_other = shown != now.shown or not now.counted.rows.is_current
            if shown is not None and is_other:
                self._now = now = self._open(now.number + 1, shown)
            return now.counted.count(seconds)
        except (OumiError, OSError) as error:
            logger.warning("%s: %s", self._output, error)
            return False

    def state(self, generation: int, replaced: int, version: int) -> dict[str, Any]:
        """How far it is, and what is new for a page that has seen so much of a generation."""
        now, counted = self._now.number, self._now.counted
        is_same = generation == now
        state = {
            "generation": now,
            "version": counted.version,
            "size": len(counted.rows),
            "counted": len(counted.statuses),
            "finished": counted.rows.is_finished,
            "up_to_date": counted.is_up_to_date,
            "replaced": counted.rows.replaced[replaced if is_same else 0 :].tolist(),
        }
        if not is_same or version != state["version"]:
            state["facts"] = counted.facts()
        return state

    def rows(self, generation: int, places: Iterable[int]) -> list[dict[str, Any]]:
        """Whole rows with what the table shows of each; fewer than were asked for where they are
        long. Raises OutdatedError, StorageError.
        """
        counted = self._of(generation)
        found: list[dict[str, Any]] = []
        characters = 0
        for place in places:
            if place >= len(counted.rows) or characters > _MOST_CHARACTERS:
                break
            row = counted.rows.row(place)
            found.append({"place": place, "row": row.to_dict(), "values": counted.values(row)})
            characters += len(row.answer or "")
        return found

    def place_of(self, generation: int, row: int) -> int | None:
        """Where the row with a number stands. Raises OutdatedError."""
        return self._of(generation).rows.place_of(row)

    def select(self, generation: int, query: Query, start: int) -> dict[str, Any]:
        """The `places` of rows that meet a query, looked for from a place on for a moment, and what
        each is sorted by, as `keys`; `next` is where to go on. Raises OutdatedError, StorageError.
        """
        counted = self._of(generation)
        selection = Selection(counted, query)
        end = time.monotonic() + _TURN_S
        place = start
        while place < len(counted.statuses) and time.monotonic() < end:
            selection.look_at(place)
            place += 1
        return {"places": selection.places, "keys": selection.keys, "next": place}

    def _of(self, generation: int) -> CountedRows:
        now = self._now
        if generation != now.number:
            raise OutdatedError("the files were replaced meanwhile")
        return now.counted

    def _open(self, number: int, shown: _Shown) -> _Generation:
        rows = open_output(self._output) if shown.is_output else JournalPlaces(self._output)
        return _Generation(number, shown, CountedRows(rows))

    def _look(self) -> _Shown | None:
        """What is to be shown; None where there is nothing at the moment."""
        output, journal = _stat(self._output), _stat(beside(self._output, ".journal"))
        if output is not None and (journal is None or not self._is_ahead(output)):
            return _Shown(True, (output.st_ino, output.st_size, output.st_mtime_ns))
        return None if journal is None else _Shown(False, (journal.st_ino,))

    def _is_ahead(self, output: os.stat_result) -> bool:
        """Whether the journal holds answers that came after the output was written. The time of the
        journal itself may be that of a copy, or of a run that found all rows answered.
        """
        recorded_at = last_recorded_at(beside(self._output, ".journal"))
        return recorded_at is not None and recorded_at > output.st_mtime


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None
