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


class PrefixAffinity:
    """Remembers who was given which beginning last."""

    def __init__(self) -> None:
        self._last: OrderedDict[int, WorkerLink] = OrderedDict()

    def favourite(self, found: Sequence[int]) -> WorkerLink | None:
        """Who was given the longest known of these beginnings; None where none is known."""
        return next((self._last[digest] for digest in found if digest in self._last), None)

    def note(self, found: Sequence[int], worker: WorkerLink) -> None:
        """A worker is given these beginnings."""
        for digest in found:
            self._last[digest] = worker
            self._last.move_to_end(digest)
        while len(self._last) > _MOST_REMEMBERED:
            self._last.popitem(last=False)
