"""Which worker was given a long beginning of a conversation last, and so may have it in its cache.

A beginning is a number of characters of the conversation as text, so that it is found in whatever
message it ends. Engines cache blocks of tokens, and what is wrong here costs time at most.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from oumi.distributed.link import WorkerLink

_SHORTEST = 1_024
"""Characters: some 250 tokens, which a GPU reads in milliseconds. Less is not worth the choice."""
_LONGEST = 64 * _SHORTEST
_MOST_REMEMBERED = 100_000
"""Some 10 MB, and more beginnings than the caches of a hundred GPUs hold."""

_MOST_STRAYS = 3
"""A row that finds no room at its home strays. If each of them took the home along, beginnings
would change places for ever; where a home has more than it can take, three in a row come soon."""
_MESSAGES = '"messages":'


def beginnings(conversation: str) -> tuple[int, ...]:
    """Hashes of the beginnings of a conversation in JSON, the longest first, each of half as many
    characters as the one before.
    """
    if len(conversation) < _SHORTEST:
        return ()
    start = max(conversation.find(_MESSAGES), 0)  # what is before differs, such as an id
    length, found = _SHORTEST, []
    while length <= min(len(conversation) - start, _LONGEST):
        found.append(hash(conversation[start : start + length]))
        length *= 2
    return tuple(reversed(found))


class _Home:
    """The worker of a beginning, and how many rows in a row have gone elsewhere."""

    __slots__ = ("strays", "worker")

    def __init__(self, worker: WorkerLink):
        self.worker = worker
        self.strays = 0


class PrefixAffinity:
    """Remembers the worker of each beginning: that which had it first, or the last three times."""

    def __init__(self) -> None:
        self._homes: OrderedDict[int, _Home] = OrderedDict()  # the latest last

    def favourite(self, found: Sequence[int]) -> WorkerLink | None:
        """The worker of the longest known of these beginnings; None where none is known."""
        return next((self._homes[one].worker for one in found if one in self._homes), None)

    def note(self, found: Sequence[int], worker: WorkerLink) -> None:
        """A worker is given these beginnings."""
        for digest in found:
            home = self._homes.pop(digest, None) or _Home(worker)
            self._homes[digest] = home
            home.strays = 0 if home.worker is worker else home.strays + 1
            if home.strays == _MOST_STRAYS or home.worker.is_lost:
                home.worker, home.strays = worker, 0
        while len(self._homes) > _MOST_REMEMBERED:
            self._homes.popitem(last=False)
