"""The pace that follows from what the headers of replies tell of a limit.

A header says that `remaining` of `limit` are left and that all are back in `reset_s`. It does
not say how they come back: all at once (a window) or one by one (a bucket). So:

- As long as nothing else is known, what remains is spread over the time to the reset. That is
  right for a window, and for a bucket it is slow where little is left and fast where much is,
  with its rest where half of the bucket is left and the pace is what flows in.
- A bucket shows itself: its reset moves away while no more remains than before, which that of
  a window never does. Then what flows in is known, (limit - remaining) / reset_s, and the pace
  is that, a little less while less than a small reserve is left (two seconds' worth, at most
  half of the bucket), and more while there is more, as much as uses it up in a minute.
"""

from __future__ import annotations

from oumi.runner.limits.gates import INPUT, OUTPUT, REQUESTS, TOKENS, EvenPacer
from oumi.runner.limits.status import RateLimitStatus

_KINDS = {"requests": REQUESTS, "tokens": TOKENS, "input_tokens": INPUT, "output_tokens": OUTPUT}
_SHOWN = 3
_APART_S = 0.1
_USE_UP_S = 60.0
_RESERVE_S = 2.0
_BELOW = 0.98
_LONGEST_S = 60.0
_CATCH_UP_S = 0.005


class HeaderPacer:
    """The pace of one limit, told by headers."""

    def __init__(self, kind: str):
        self.pacer = EvenPacer(_KINDS[kind], catch_up_s=_CATCH_UP_S)
        self._signs_of_bucket = 0
        self._looked: tuple[float, float, float] | None = None  # when, remaining, reset at

    def look(self, room: RateLimitStatus, now_s: float) -> None:
        """Take in what a reply told at this moment."""
        self._compare(room, now_s)
        longest_s = self.pacer.longest_s = min(room.reset_s, _LONGEST_S)
        inflow = self._inflow(room)
        if inflow > 0:
            self.pacer.change(now_s, 1 / self._bucket_pace(room, inflow))
        elif room.remaining >= 1:
            self.pacer.change(now_s, room.reset_s / room.remaining)
        else:
            self.pacer.change(now_s, longest_s)
            self.pacer.hold(now_s + longest_s)

    def _inflow(self, room: RateLimitStatus) -> float:
        used = room.limit - room.remaining
        is_bucket = self._signs_of_bucket >= _SHOWN
        return used / room.reset_s if is_bucket and used >= 1 and room.reset_s > 0 else 0.0

    def _bucket_pace(self, room: RateLimitStatus, inflow: float) -> float:
        reserve = min(room.limit / 2, max(_RESERVE_S * inflow, 1.0))
        if room.remaining < reserve:
            return inflow * (0.5 + (_BELOW - 0.5) * room.remaining / reserve)
        return inflow * _BELOW + (room.remaining - reserve) / _USE_UP_S

    def _compare(self, room: RateLimitStatus, now_s: float) -> None:
        reset_at_s = now_s + room.reset_s
        if self._looked is not None:
            then_s, remaining, then_reset_at_s = self._looked
            if now_s - then_s < _APART_S:
                return
            if room.remaining <= remaining:
                # A reset in whole seconds moves by up to one without meaning it.
                rounding_s = 1.0 if room.reset_s == round(room.reset_s) else 0.0
                moved_s = reset_at_s - then_reset_at_s - rounding_s
                moved = moved_s > 0.25 * (now_s - then_s)
                self._signs_of_bucket = self._signs_of_bucket + 1 if moved else 0
        self._looked = (now_s, room.remaining, reset_at_s)
