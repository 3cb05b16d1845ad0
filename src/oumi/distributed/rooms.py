"""How much room each worker has, and which has the most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from oumi.distributed.link import WorkerLink


class WorkersByRoom:
    """Workers by the rows that they have room for. All takes as long with a thousand workers as
    with one, because each row is given and taken back.
    """

    def __init__(self) -> None:
        self._rooms: dict[WorkerLink, int] = {}
        self._links: defaultdict[int, dict[WorkerLink, None]] = defaultdict(dict)  # by their room
        self._most = 0  # no worker has more

    def room(self, link: WorkerLink) -> int:
        """Rows that a worker has room for; none where it is not known."""
        return self._rooms.get(link, 0)

    def set(self, link: WorkerLink, room: int) -> None:
        """A worker has room for so many rows."""
        self.remove(link)
        self._rooms[link] = room
        self._links[room][link] = None
        self._most = max(self._most, room)

    def add(self, link: WorkerLink, rows: int) -> None:
        """A worker has so much more room, if it is still known."""
        if link in self._rooms:
            self.set(link, self._rooms[link] + rows)

    def remove(self, link: WorkerLink) -> None:
        """Forget a worker."""
        if (room := self._rooms.pop(link, None)) is not None:
            del self._links[room][link]

    def emptiest(self) -> WorkerLink | None:
        """The worker with the most room, the longest so; None where none has any."""
        while self._most and not self._links[self._most]:
            self._most -= 1
        return next(iter(self._links[self._most])) if self._most else None

    def __iter__(self) -> Iterator[WorkerLink]:
        return iter(self._rooms)
