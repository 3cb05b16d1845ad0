"""The gates that a start has to pass, one for each limit. All times are those of one clock.

A gate says when a start of a given size may be (`ready_s`; now or earlier: at once), and is
asked to `reserve` what the start uses once it is let through. All of it is plain arithmetic: no
waiting, no tasks, O(1) a call.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from oumi.errors import RequestError
from oumi.runner.limits.config import Limits

Amounts = tuple[int, int, int, int]
"""What a start uses up: 1 request, its input tokens, its output tokens, both together."""

REQUESTS, INPUT, OUTPUT, TOKENS = range(4)
"""The kinds of units: places in `Amounts`."""

SETTINGS = {
    REQUESTS: "requests_per_minute",
    INPUT: "input_tokens_per_minute",
    OUTPUT: "output_tokens_per_minute",
}
"""The settings that limit units of a kind."""

WINDOW_S = 60.0
CATCH_UP_S = 0.02
"""A start that was let through late by up to this does not delay those after it. Timers of an
event loop fire a few milliseconds late; without it each lateness would be lost."""
_TRAVEL_SPREAD_S = 0.5
"""Kept free of each window, so that the server's own count of it holds where the time from
here to there varies by less than this."""
_SLOT_S = 0.25
"""Starts of this long share a slot of the window: 240 slots for any rate, at the price that
tokens stay counted for up to this much longer than a window."""
_AFTER_S = 1e-6
"""Added to the end of a window, so that rounding cannot put a start into it."""


def amounts_of(input_tokens: int, output_tokens: int) -> Amounts:
    """What a start of so many tokens uses up."""
    return 1, input_tokens, output_tokens, input_tokens + output_tokens


class Gate(Protocol):
    """Keeps one limit on starts."""

    kind: int
    """Of the units that it counts."""

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """From when on this start may be, as far as known now."""
        ...

    def reserve(self, now_s: float, amounts: Amounts) -> None:
        """The start is now."""
        ...


class EvenPacer:
    """Spreads units of one kind evenly, `interval_s` apart (the virtual scheduling algorithm of
    GCRA, ITU-T I.371).

    `_due_s` is when all time that was reserved has passed. A start may be `catch_up_s` before
    that, and reserves from `_due_s` or from now, whichever is later: unused time is lost.
    """

    __slots__ = ("_due_s", "catch_up_s", "interval_s", "kind", "max_delay_s")

    def __init__(self, kind: int, interval_s: float = 0.0, catch_up_s: float = CATCH_UP_S):
        self.kind = kind
        self.interval_s = interval_s
        self.catch_up_s = catch_up_s
        self.max_delay_s = float("inf")
        """No start delays the next one by more than this."""
        self._due_s = 0.0

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """When the reserved time has passed, less the catch-up."""
        return self._due_s - self.catch_up_s

    def reserve(self, now_s: float, amounts: Amounts) -> None:
        """Reserve the time of this start."""
        due_s = self._due_s
        due_s = (due_s if due_s > now_s else now_s) + amounts[self.kind] * self.interval_s
        max_due_s = now_s + self.max_delay_s
        self._due_s = due_s if due_s < max_due_s else max_due_s

    def correct(self, units: float) -> None:
        """A start used `units` more than were reserved (fewer, where negative)."""
        self._due_s += units * self.interval_s

    def set_interval(self, now_s: float, interval_s: float) -> None:
        """Change the pace; units that are reserved and not yet due count at the new one."""
        if self._due_s > now_s and self.interval_s > 0:
            self._due_s = now_s + (self._due_s - now_s) * interval_s / self.interval_s
        self.interval_s = interval_s

    def release(self, now_s: float) -> None:
        """Hold nothing back any more."""
        self.interval_s = 0.0
        self._due_s = min(self._due_s, now_s)

    def pause_until(self, until_s: float) -> None:
        """Let nothing through before this."""
        self._due_s = max(self._due_s, until_s + self.catch_up_s)


def per_minute(kind: int, count: int) -> EvenPacer:
    """A pacer that never lets more than `count` units of size 1 into any 60 s.

    Proof: the k-th start after one at t is not before t + k * interval - catch-up, and
    interval > (60 + catch-up) / count; so the count-th one after it is later than t + 60.
    """
    return EvenPacer(kind, (WINDOW_S + CATCH_UP_S + _TRAVEL_SPREAD_S) / count)


class WindowSlot:
    """The tokens of the starts within a quarter of a second."""

    __slots__ = ("first_s", "in_window", "last_s", "tokens")

    def __init__(self, now_s: float):
        self.first_s = self.last_s = now_s
        self.tokens = 0
        self.in_window = True


class SlidingWindow:
    """At most `limit` tokens in any 60 s, as known at each start, and spread evenly if `spread`.

    Proof: the starts of the last 60 s are kept in slots, each until 60 s after its last start, so
    the total of all slots is never less than what any window that ends now holds.
    """

    def __init__(self, kind: int, limit: int, *, spread: bool = True):
        self.kind = kind
        self.limit = limit
        self._pacer = per_minute(kind, limit) if spread else EvenPacer(kind)
        self._slots: deque[WindowSlot] = deque()
        self._total = 0

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """When the pace allows it and, if the window is full, its oldest slot has left it."""
        paced_s = self._pacer.ready_s(now_s, amounts)
        slots = self._slots
        while slots and slots[0].last_s + WINDOW_S < now_s:
            slot = slots.popleft()
            slot.in_window = False
            self._total -= slot.tokens
        if not slots or self._total + amounts[self.kind] <= self.limit:
            return paced_s
        return max(paced_s, slots[0].last_s + WINDOW_S + _AFTER_S)

    def reserve(self, now_s: float, amounts: Amounts) -> None:
        """Reserve the tokens of this start."""
        self._pacer.reserve(now_s, amounts)
        slot = self.slot(now_s)
        slot.last_s = now_s
        slot.tokens += amounts[self.kind]
        self._total += amounts[self.kind]

    def check(self, amounts: Amounts) -> None:
        """Raises RequestError for more tokens than a whole minute may hold."""
        if amounts[self.kind] > self.limit:
            name = "input" if self.kind == INPUT else "output"
            raise RequestError(
                f"this request alone may take {amounts[self.kind]:,} {name} tokens, more than "
                f"{SETTINGS[self.kind]} = {self.limit:,} allows in a whole minute"
            )

    def slot(self, now_s: float) -> WindowSlot:
        """The slot that a start at this time belongs to."""
        if not self._slots or now_s >= self._slots[-1].first_s + _SLOT_S:
            self._slots.append(WindowSlot(now_s))
        return self._slots[-1]

    def correct(self, slot: WindowSlot, tokens: int) -> None:
        """A start in `slot` used `tokens` more than were reserved (fewer, where negative)."""
        self._pacer.correct(tokens)
        if slot.in_window:
            slot.tokens += tokens
            self._total += tokens


class StartWindow:
    """At most `count` starts in any `window_s`: each waits for the count-th one before it."""

    kind = REQUESTS

    def __init__(self, count: int, window_s: float):
        self._window_s = window_s * (1 + 1e-9)  # rounding must not shorten it
        self._starts_s: deque[float] = deque(maxlen=count)

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """A window after the count-th start before this one."""
        starts_s = self._starts_s
        return starts_s[0] + self._window_s if len(starts_s) == starts_s.maxlen else 0.0

    def reserve(self, now_s: float, amounts: Amounts) -> None:
        """Remember the start."""
        self._starts_s.append(now_s)


def token_windows(limits: Limits) -> list[SlidingWindow]:
    """The gates for the limits on tokens that the user set."""
    given = ((INPUT, limits.input_tokens_per_minute), (OUTPUT, limits.output_tokens_per_minute))
    spread = limits.spread
    return [SlidingWindow(kind, limit, spread=spread) for kind, limit in given if limit is not None]


def start_gates(limits: Limits) -> list[Gate]:
    """The gates for the limits on starts that the user set."""
    gates: list[Gate] = []
    most = limits.requests_per_minute
    if most is not None:
        gates.append(per_minute(REQUESTS, most) if limits.spread else StartWindow(most, WINDOW_S))
    if limits.politeness_s > 0:
        gates.append(StartWindow(limits.in_flight, limits.politeness_s))
    return gates
