"""Which row goes to which worker.

A row goes where its beginning was last, as that worker may have it in its cache, unless this worker
has no room, or far less than another one. Where all are busy, rows wait here, and one that a worker
had the beginning of takes the place that is free there; each may be overtaken by a few others only.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from oumi.distributed.link import WorkerLink
from oumi.distributed.prefix_affinity import PrefixAffinity
from oumi.distributed.rooms import WorkersByRoom
from oumi.errors import OumiError

_MOST_UNEVEN = 0.25
"""A favourite may have so much of a worker's room less than the emptiest one. It is what waits in a
full worker anyway, so that no engine has less to do for it than it can take."""
_LOOK_AHEAD = 64
"""Rows that wait of which one is chosen, and others that may overtake a row. More than there are
beginnings in use at a time, mostly, and looked through in microseconds."""


@dataclass(eq=False, slots=True)
class _Row:
    """A row that waits for a worker."""

    beginnings: Sequence[int]
    lost_on: str | None
    link: asyncio.Future[WorkerLink]


class Dispatcher:
    """Knows the workers that are ready and how much room each has. To be used on oumi's loop."""

    def __init__(self) -> None:
        self._rooms = WorkersByRoom()
        self._suspects: Counter[WorkerLink] = Counter()  # rows that were with a lost worker before
        self._rows: deque[_Row] = deque()
        self._overtaken = 0  # how often the oldest row was
        self._affinity = PrefixAffinity()
        self._error: OumiError | None = None

    def add(self, link: WorkerLink) -> None:
        """A worker is ready."""
        self._rooms.set(link, link.facts.most_rows)
        self._serve()

    def remove(self, link: WorkerLink) -> None:
        """A worker is lost."""
        self._rooms.remove(link)
        del self._suspects[link]

    def fail(self, error: OumiError) -> None:
        """There will be no worker any more: whoever waits for one is told so."""
        self._error = self._error or error
        while self._rows:
            if not (link := self._rows.popleft().link).done():
                link.set_exception(self._error)

    async def take(self, beginnings: Sequence[int], lost_on: str | None) -> WorkerLink:
        """The worker for a row, once one has room, which is to be given back.

        `lost_on` is the node on which the row was lost with its worker: such a suspect shares its
        worker with no other one, and goes to another node where there is any, as this one may be
        about to go. Raises the error after which there is no worker.
        """
        if self._error is not None:
            raise self._error
        row = _Row(beginnings, lost_on, asyncio.get_running_loop().create_future())
        self._rows.append(row)
        self._serve()
        try:
            return await row.link
        except asyncio.CancelledError:
            if row.link.done() and not row.link.cancelled() and row.link.exception() is None:
                self.give_back(row.link.result(), lost_on)
            raise

    def give_back(self, link: WorkerLink, lost_on: str | None) -> None:
        """A row has left a worker, which it was given as `take` was called."""
        self._rooms.add(link, 1)
        if lost_on is not None and link in self._suspects:
            self._suspects[link] -= 1
        self._serve()

    def _serve(self) -> None:
        """Give workers to rows while there is room."""
        while self._rows and (emptiest := self._emptiest()) is not None:
            if (match := self._match(emptiest)) is None:
                return
            row, link = match
            self._overtaken = 0 if row is self._rows[0] else self._overtaken + 1
            self._rows.remove(row)
            if row.link.done():  # cancelled
                continue
            self._rooms.add(link, -1)
            self._suspects[link] += row.lost_on is not None
            self._affinity.note(row.beginnings, link)
            row.link.set_result(link)

    def _match(self, emptiest: WorkerLink) -> tuple[_Row, WorkerLink] | None:
        """The row that is next, and its worker; None where only suspects wait for others to end."""
        if self._overtaken < _LOOK_AHEAD:
            for row in itertools.islice(self._rows, _LOOK_AHEAD):
                link = self._favourite(row, emptiest)
                if link is not None:
                    return row, link
        for row in self._rows:
            if row.lost_on is None:
                return row, emptiest
            able = [link for link in self._elsewhere(row.lost_on) if self._takes_suspects(link)]
            if able:
                return row, max(able, key=self._rooms.room)
        return None

    def _elsewhere(self, node_id: str) -> list[WorkerLink]:
        """The workers of all other nodes; those of this one where there are no others."""
        links = [link for link in self._rooms if not link.is_lost]
        return [link for link in links if link.facts.node_id != node_id] or links

    def _takes_suspects(self, link: WorkerLink) -> bool:
        return self._rooms.room(link) > 0 and not self._suspects[link]

    def _favourite(self, row: _Row, emptiest: WorkerLink) -> WorkerLink | None:
        """The worker that had the row's beginning, if it may be given the row."""
        link = self._affinity.favourite(row.beginnings)
        if link is None or link.is_lost or row.lost_on or not (room := self._rooms.room(link)):
            return None
        most_uneven = _MOST_UNEVEN * emptiest.facts.most_rows
        return link if self._rooms.room(emptiest) - room <= most_uneven else None

    def _emptiest(self) -> WorkerLink | None:
        """The worker with the most room; None where none has any."""
        while (link := self._rooms.emptiest()) is not None and link.is_lost:
            self._rooms.remove(link)
        return link
