"""The gates that a start has to pass, one for each promise. Times are those of one clock.

A gate answers two questions: `ready_s`, from when on a start of this size may be (0: now), and
`take`, that it was. All of it is plain arithmetic: no waiting, no tasks, O(1) a question.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from oumi.errors import RequestError
from oumi.runner.limits.config import Limits

Amounts = tuple[int, int, int, int]
"""What a start uses up: 1 request, its input tokens, its output tokens, both together."""

REQUESTS, INPUT, OUTPUT, TOKENS = range(4)

WINDOW_S = 60.0
CATCH_UP_S = 0.02
"""A start that was let in late by less than this does not delay those after it."""
_ON_THE_WAY_S = 0.5
"""Kept free of each window, so that the server's own count of it holds where the time from
here to there varies by less than this."""
_CELL_S = 0.25


class Gate(Protocol):
    """A promise about starts."""

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """From when on this start may be, as far as known now."""
        ...

    def take(self, now_s: float, amounts: Amounts) -> None:
        """The start is now."""
        ...


class EvenPacer:
    """Spreads units of one kind evenly: each one books `interval_s` of time.

    `_due_s` is when all that was booked is used up. A start may be `catch_up_s` before that, and
    books from `_due_s` or from now, whichever is later: time that was not used is gone.
    """

    __slots__ = ("_due_s", "catch_up_s", "interval_s", "kind", "longest_s")

    def __init__(self, kind: int, interval_s: float = 0.0, catch_up_s: float = CATCH_UP_S):
        self.kind = kind
        self.interval_s = interval_s
        self.catch_up_s = catch_up_s
        self.longest_s = float("inf")
        """No start delays the next one by more than this."""
        self._due_s = 0.0

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """When what was booked is used up, less the catch-up."""
        return self._due_s - self.catch_up_s

    def take(self, now_s: float, amounts: Amounts) -> None:
        """Reserve the time of this start."""
        due_s = self._due_s
        due_s = (due_s if due_s > now_s else now_s) + amounts[self.kind] * self.interval_s
        self._due_s = due_s if due_s < now_s + self.longest_s else now_s + self.longest_s

    def correct(self, units: float) -> None:
        """A start used `units` more than was booked (less, where negative)."""
        self._due_s += units * self.interval_s

    def change(self, now_s: float, interval_s: float) -> None:
        """Go on at another pace; units that are booked and not yet used up count at the new one."""
        if self._due_s > now_s and self.interval_s > 0:
            self._due_s = now_s + (self._due_s - now_s) * interval_s / self.interval_s
        self.interval_s = interval_s

    def hold(self, until_s: float) -> None:
        """Nothing before this."""
        self._due_s = max(self._due_s, until_s + self.catch_up_s)


def per_minute(kind: int, count: int) -> EvenPacer:
    """A pacer that never lets more than `count` units of size 1 into any 60 s.

    The k-th start after one at t is not before t + k * interval - catch-up, with
    interval > (60 + catch-up) / count; so the count-th one after it is later than t + 60.
    """
    return EvenPacer(kind, (WINDOW_S + CATCH_UP_S + _ON_THE_WAY_S) / count)


class Cell:
    """The tokens of the starts in a quarter of a second."""

    __slots__ = ("from_s", "last_s", "live", "tokens")

    def __init__(self, now_s: float):
        self.from_s = self.last_s = now_s
        self.tokens = 0
        self.live = True


class SlidingWindow:
    """At most `limit` tokens in any 60 s, as known at each start, and spread evenly.

    The ledger holds the starts of the last 60 s in cells, each until 60 s after its last start,
    so its total is never less than what any window that ends now holds.
    """

    def __init__(self, kind: int, limit: int):
        self.kind = kind
        self.limit = limit
        self._pacer = per_minute(kind, limit)
        self._cells: deque[Cell] = deque()
        self._total = 0

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """When the pace allows it and, after that, when the oldest cell leaves the window."""
        paced_s = self._pacer.ready_s(now_s, amounts)
        cells = self._cells
        while cells and cells[0].last_s + WINDOW_S < now_s:
            cell = cells.popleft()
            cell.live = False
            self._total -= cell.tokens
        if not cells or self._total + amounts[self.kind] <= self.limit:
            return paced_s
        return max(paced_s, cells[0].last_s + WINDOW_S + 1e-6)

    def take(self, now_s: float, amounts: Amounts) -> None:
        """Reserve the tokens of this start."""
        self._pacer.take(now_s, amounts)
        cell = self.cell(now_s)
        cell.last_s = now_s
        cell.tokens += amounts[self.kind]
        self._total += amounts[self.kind]

    def check(self, amounts: Amounts) -> None:
        """Raises RequestError for more tokens than a whole minute may hold."""
        if amounts[self.kind] > self.limit:
            name = "input" if self.kind == INPUT else "output"
            raise RequestError(
                f"this request alone may take {amounts[self.kind]:,} {name} tokens, more than "
                f"{name}_tokens_per_minute = {self.limit:,} allows in a whole minute"
            )

    def cell(self, now_s: float) -> Cell:
        """The cell that a start at this time belongs to."""
        if not self._cells or now_s >= self._cells[-1].from_s + _CELL_S:
            self._cells.append(Cell(now_s))
        return self._cells[-1]

    def correct(self, cell: Cell, tokens: int) -> None:
        """A start in `cell` used `tokens` more than reserved (less, where negative)."""
        self._pacer.correct(tokens)
        if cell.live:
            cell.tokens += tokens
            self._total += tokens


class Politeness:
    """At most `count` starts in any `window_s`: each waits for the count-th one before it."""

    def __init__(self, count: int, window_s: float):
        self._window_s = window_s * (1 + 1e-9)
        self._starts: deque[float] = deque(maxlen=count)

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """A window after the count-th start before this one."""
        starts = self._starts
        return starts[0] + self._window_s if len(starts) == starts.maxlen else 0.0

    def take(self, now_s: float, amounts: Amounts) -> None:
        """Remember the start."""
        self._starts.append(now_s)


def meters_of(limits: Limits) -> list[SlidingWindow]:
    """The gates for tokens that the user wants."""
    given = ((INPUT, limits.input_tokens_per_minute), (OUTPUT, limits.output_tokens_per_minute))
    return [SlidingWindow(kind, limit) for kind, limit in given if limit is not None]


def gates_of(limits: Limits) -> list[Gate]:
    """The gates for starts that the user wants."""
    gates: list[Gate] = []
    if limits.requests_per_minute is not None:
        gates.append(per_minute(REQUESTS, limits.requests_per_minute))
    if limits.politeness_s > 0:
        gates.append(Politeness(limits.in_flight, limits.politeness_s))
    return gates
