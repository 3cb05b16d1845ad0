"""How much a server bears, found out by asking: requests in flight, and starts a second.

Both are levels that fall when the server says "too much" and climb while it does not.

- Until the first overload the requests in flight double with every round trip, as long as
  replies come fast: the mean latency of a round stays under three times that of the best one,
  or the replies a second still grow by a tenth. There is no rate.
- An overload makes the levels fall once per round trip: one of a request that was sent before
  the last fall had time to show only gives its place up.
- The rate falls to a little under the starts a second that led here, the requests in flight too
  if they were what held starts back. Otherwise they are pulled in to a quarter above what was in
  flight, since only what is near to use is known to be borne.
- A level that fell climbs by a curve over time, like that of TCP CUBIC (RFC 9438), but of the
  logarithm, so that it is the same for 5 and for 5,000: within seconds to just below where it
  failed, flat there for long, then faster and faster, as the server may bear more by now. A
  level that holds nothing back does not climb beyond where it failed.
- A level far below what was borne in the last minute climbs eight times as fast, so that an
  outage of seconds costs seconds; each time that this fails, less is taken to have been borne.
- After a fall, starts are spread over the round trip, at twice the pace that fills the places.
- Overloads that go on as before at a rate far below those that failed are not our doing
  (`BackgroundErrorRate`): the falls are taken back, and from then on only clearly more count.

The constants are chosen by tests/runner/simulation.py: buckets of 10 to 500 requests a second
with latencies of 20 ms to 5 s, with and without Retry-After, servers with 8 places, servers
that slow down, and servers that refuse some at random.
"""

from __future__ import annotations

from math import sqrt
from typing import Protocol

from oumi.runner.limits.cubic import CubicWindow

_FIRST_IN_FLIGHT = 16
_LOOK_EVERY_S = 0.02
_RATE_FALL = 0.93
_PLACES_FALL = 0.8
_MARK_EVERY = 20
_ABOVE_USE = 1.25
_SLOW = 3.0
_GROWING = 1.1
_FORGET = 0.02
_NEWEST = 0.1
_LONGEST_STEP_S = 1.0
_MEMORY = 200.0
_FEW, _MANY = 0.1, 0.2
_FAR_BELOW = 0.7
_FADING = 0.97
_LONGEST_QUIET_S = 1.0
_AHEAD = 2.0


class Start(Protocol):
    """What is known of a start: when, the how many-th, and how many were in flight with it."""

    started_s: float
    number: int
    in_flight: int


class BackgroundErrorRate:
    """Overloads that come no matter how slow we go are not our doing.

    A few of them at a rate far below those that failed are taken for that; from then on only
    clearly more than their share are a sign.
    """

    __slots__ = ("_ended", "_overloads", "_share", "_top", "is_new")

    def __init__(self) -> None:
        self._ended = self._overloads = self._share = self._top = 0.0
        self.is_new = False

    def count(self, overloads: int) -> None:
        """A try ended."""
        self._ended += 1
        self._overloads += overloads
        if self._ended >= _MEMORY:
            self._ended /= 2
            self._overloads /= 2

    def explains(self, rate: float) -> bool:
        """Whether the overload that was just counted, at this rate, was to be expected."""
        few = self._overloads <= _FEW * self._ended + 1
        if rate < _FAR_BELOW * self._top and few and self._ended >= _MARK_EVERY:
            self.is_new = True
            self._share = self._overloads / self._ended
            return True
        expected = self._share * self._ended
        return expected > 0 and self._overloads <= 2 * expected + 2 * sqrt(expected) + 2

    def fell(self, rate: float) -> None:
        """The levels fell at this rate; many overloads mean that it was far too much."""
        many = self._overloads > _MANY * max(self._ended, _MARK_EVERY / 2)
        if rate < float("inf"):
            self._top = rate if many else max(rate, self._top * _FADING)
        if many:
            self._share /= 2
        self._ended = self._overloads = 0.0


class LatencyProbe:
    """Whether replies come fast, judged once per round of as many replies as are in flight."""

    __slots__ = (
        "_began_s",
        "_best_rate",
        "_best_s",
        "_left",
        "_size",
        "_sum_s",
        "fast",
        "latency_s",
    )

    def __init__(self) -> None:
        self.fast = True
        self.latency_s = 0.0
        self._best_s = float("inf")
        self._best_rate = 0.0
        self._began_s = self._sum_s = 0.0
        self._size = self._left = 0

    def reply(self, now_s: float, latency_s: float, in_flight: int) -> None:
        """Count a reply."""
        self._sum_s += latency_s
        self.latency_s += (latency_s - self.latency_s) * (_NEWEST if self.latency_s else 1.0)
        self._left -= 1
        if self._left <= 0:
            self._judge(now_s)
            self._size = self._left = max(in_flight, _FIRST_IN_FLIGHT)
            self._began_s, self._sum_s = now_s, 0.0

    def _judge(self, now_s: float) -> None:
        if self._size == 0:
            return
        mean_s = self._sum_s / self._size
        rate = self._size / max(now_s - self._began_s, 1e-9)
        self.fast = mean_s < _SLOW * self._best_s or rate > _GROWING * self._best_rate
        older_s = self._best_s * (1 + _FORGET) if self._best_s < mean_s else mean_s
        self._best_s = min(older_s, mean_s)
        self._best_rate = max(self._best_rate * (1 - _FORGET), rate)


class Adaptive:
    """The levels of one server. `allowed` are in flight at most; `rate` is in starts a second."""

    def __init__(self, most: int):
        self.most = most
        self.allowed = min(_FIRST_IN_FLIGHT, most)
        self.rate = float("inf")
        self._doubling = True
        self._places = CubicWindow(self.allowed)
        self._rate = CubicWindow(float("inf"))
        self._rounds = LatencyProbe()
        self._noise = BackgroundErrorRate()
        self._looked_s = self._fell_s = float("-inf")
        self._older_mark: tuple[float, int] | None = None
        self._mark: tuple[float, int] | None = None
        self.next_mark = 0

    def mark(self, now_s: float, starts: int) -> None:
        """To be called once there are `next_mark` starts, before the next one."""
        self.next_mark = starts + _MARK_EVERY
        if self._mark is None or now_s >= self._mark[0] + min(self._rounds.latency_s, 1.0):
            self._older_mark, self._mark = self._mark or (now_s, starts), (now_s, starts)

    def replied(self, now_s: float, latency_s: float, in_flight: int, paced: bool) -> bool:
        """A success; `paced`: starts wait for the rate. Whether `rate` changed."""
        self._rounds.reply(now_s, latency_s, in_flight)
        full = in_flight >= self.allowed
        self._noise.count(0)
        if self._doubling:
            if full and self.allowed < self.most and self._rounds.fast:
                self.allowed += 1
            return False
        if now_s < self._looked_s + _LOOK_EVERY_S:
            return False
        self._climb(now_s, full, paced)
        return True

    def overloaded(self, until_s: float, start: Start, left: int) -> bool:
        """A try was too much, and none starts until `until_s` (or now); `left` are in flight
        without it. Whether `rate` changed."""
        self._noise.count(1)
        if start.started_s < self._fell_s:
            self._pull_in(left)
            return False
        if self._noise.explains(self._rate.level):
            return self._forget()
        if self._doubling:
            self._places = CubicWindow(self.allowed)
        self._noise.fell(self._rate.level)
        self._fall(start, left)
        self._doubling = False
        self._looked_s = until_s
        self._fell_s = until_s + min(self._rounds.latency_s, _LONGEST_QUIET_S)
        self.next_mark = 0
        self._older_mark = self._mark = None
        return True

    def _forget(self) -> bool:
        """The falls were for nothing: double again, from here."""
        forgets = self._rate.level < float("inf") and self._noise.is_new
        if forgets:
            self._noise.is_new = False
            self._rate, self.rate = CubicWindow(float("inf")), float("inf")
            self._doubling = True
        return forgets

    def _fall(self, start: Start, left: int) -> None:
        in_flight = max(start.in_flight, left + 1)
        by_places = in_flight >= self.allowed or self._rate.level > self.rate
        used, known = self._used(start), self._rate.level
        if used is not None or known < float("inf"):
            self._rate.fall(min(known, used or known), _RATE_FALL)
        if by_places or (used is None and known == float("inf")):
            share = self._places_fall(in_flight)
            self._places.fall(max(in_flight, 1.6), share, in_haste=self._doubling)
        self._pull_in(in_flight * _ABOVE_USE)

    def _used(self, start: Start) -> float | None:
        """Starts a second up to this one, if there were enough to tell."""
        if self._older_mark is None:
            return None
        then_s, before = self._older_mark
        count = start.number - before
        seconds = start.started_s - then_s
        return count / seconds if count >= _MARK_EVERY and seconds > 0 else None

    def _places_fall(self, in_flight: int) -> float:
        """Not below what the rate needs (Little's law)."""
        if self._rate.level == float("inf"):
            return _PLACES_FALL
        return max(_PLACES_FALL, min(self._rate.level * self._rounds.latency_s / in_flight, 0.95))

    def _pull_in(self, places: float) -> None:
        self._places.pull_in(places)
        self._set()

    def _climb(self, now_s: float, full: bool, paced: bool) -> None:
        seconds = min(now_s - self._looked_s, _LONGEST_STEP_S)
        self._looked_s = now_s
        by_places = paced and self._rate.level > self.rate
        self._rate.climb(seconds, paced and not by_places)
        may_climb = self._rounds.fast and self.allowed < self.most
        self._places.climb(seconds, may_climb and (full or by_places))
        self._set()

    def _set(self) -> None:
        self.allowed = max(1, min(round(self._places.level), self.most))
        latency_s = self._rounds.latency_s
        smooth = _AHEAD * self._places.level / latency_s if latency_s > 0 else float("inf")
        self.rate = min(self._rate.level, smooth)
