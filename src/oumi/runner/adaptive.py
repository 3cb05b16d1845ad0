"""How much a server bears, found out by asking: requests in flight, and starts a second.

Both are levels that fall when the server says "too much" and climb while it does not.

- Until the first overload the requests in flight double with every round trip, as long as
  replies come fast; there is no rate.
- An overload counts once per round trip: of requests that were sent before the last fall, none
  makes the levels fall again.
- What was in use falls: the rate to a little under the starts per second that led here, the
  requests in flight too if they were what held starts back. Otherwise they are pulled in to a
  quarter above what was in flight, since only what is near to use is known to be borne.
- A level that fell climbs by a curve over time, like that of TCP CUBIC (RFC 9438), but of the
  logarithm, so that it is the same for 5 and for 5,000: quick at first, flat for long just below
  where it failed, then faster and faster; a server that had a bad minute is tried in full again
  within half a minute. A level that holds nothing back does not climb beyond where it failed.
- Replies come fast as long as the mean latency of a round stays under three times that of the
  best one, or the replies a second still grow by a tenth.
"""

from __future__ import annotations

from math import exp, log
from typing import Protocol

_FIRST_IN_FLIGHT = 16
_LOOK_EVERY_S = 0.02
_STEEPNESS = 0.0004
_RATE_FALL, _FIRST_RATE_FALL = 0.92, 0.8
_PLACES_FALL = 0.75
_PLATEAU = 0.97
_ENOUGH_STARTS = 20
_ABOVE_USE = 1.25
_SLOW = 3.0
_GROWING = 1.1
_FORGET = 0.02
_LONGEST_S = 30.0
_IDLE_S = 0.5
_MEMORY = 200.0
_MOST_NOISE = 0.1
_RECOVERING = 0.95


class Start(Protocol):
    """What is known of a start: when, the how many-th, and how many were in flight with it."""

    started_s: float
    number: int
    in_flight: int


class Climb:
    """A level that fell: where it is by now."""

    __slots__ = ("_failed", "_knee_s", "_phase_s", "_plateau", "level")

    def __init__(self, level: float):
        self.level = self._plateau = self._failed = level
        self._phase_s = self._knee_s = 0.0

    def fall(self, failed: float, share: float) -> None:
        """Begin anew at `share` of the level that failed."""
        self._failed = failed
        self.level = failed * share
        self._plateau = max(failed * _PLATEAU, self.level)
        self._knee_s = (log(self._plateau / self.level) / _STEEPNESS) ** (1 / 3)
        self._phase_s = 0.0

    def is_recovering(self) -> bool:
        """Whether it is well below where it failed, or never failed."""
        return self.level < _RECOVERING * self._failed

    def climb(self, seconds: float, in_use: bool) -> None:
        """Time has passed; beyond the plateau only a level in use climbs."""
        phase_s = self._phase_s + seconds
        self._phase_s = phase_s if in_use else min(phase_s, max(self._knee_s, self._phase_s))
        self._phase_s = min(self._phase_s, self._knee_s + _LONGEST_S)
        self.level = self._plateau * exp(_STEEPNESS * (self._phase_s - self._knee_s) ** 3)


class Noise:
    """Overloads that come no matter how slow we go are not our doing.

    Their share while the levels are well below where they fell is taken for that; above, only
    twice as many are a sign.
    """

    __slots__ = ("_ended", "_overloads", "_share", "_was_noisy")

    def __init__(self) -> None:
        self._ended = self._overloads = self._share = 0.0
        self._was_noisy = False

    def count(self, overloads: int) -> None:
        """A try ended."""
        self._ended += 1
        self._overloads += overloads
        if self._ended >= _MEMORY:
            self._ended /= 2
            self._overloads /= 2

    def explains(self, is_recovering: bool) -> bool:
        """Whether the overload that was just counted is to be expected."""
        share = self._overloads / max(self._ended, 1.0)
        if is_recovering and self._ended >= _ENOUGH_STARTS and share <= _MOST_NOISE:
            self._share, self._was_noisy = share, True
            return True
        return share <= 2 * self._share

    def restart(self) -> None:
        """The levels fell."""
        if not self._was_noisy:
            self._share = 0.0
        self._was_noisy = False
        self._ended = self._overloads = 0.0


class Rounds:
    """Whether replies come fast, judged once per round of as many replies as are in flight."""

    __slots__ = ("_began_s", "_best_rate", "_best_s", "_left", "_size", "_sum_s", "fast")

    def __init__(self) -> None:
        self.fast = True
        self._best_s = float("inf")
        self._best_rate = 0.0
        self._began_s = self._sum_s = 0.0
        self._size = self._left = 0

    def reply(self, now_s: float, latency_s: float, in_flight: int) -> None:
        """Count a reply."""
        self._sum_s += latency_s
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
        self.rate: float | None = None
        self._doubling = True
        self._places = Climb(self.allowed)
        self._rate = Climb(1.0)
        self._rounds = Rounds()
        self._noise = Noise()
        self._looked_s = self._fell_s = self._began_s = self._ended_s = float("-inf")
        self._starts_before = 0

    def resume(self, now_s: float, starts: int) -> None:
        """The first start, or the first one after nothing was in flight."""
        if now_s > self._ended_s + _IDLE_S:
            self._began_s, self._starts_before = now_s, starts

    def replied(self, now_s: float, latency_s: float, in_flight: int, paced: bool) -> bool:
        """A success; `paced`: starts wait for the rate. Whether `rate` changed."""
        self._ended_s = now_s
        self._rounds.reply(now_s, latency_s, in_flight)
        full = in_flight >= self.allowed
        if self._doubling:
            if full and self.allowed < self.most and self._rounds.fast:
                self.allowed += 1
            return False
        self._noise.count(0)
        if now_s < self._looked_s + _LOOK_EVERY_S:
            return False
        self._climb(now_s, full, paced)
        return True

    def overloaded(self, now_s: float, start: Start, starts: int) -> bool:
        """A try was too much; there were `starts` by now. Whether the levels fell."""
        self._ended_s = now_s
        if start.started_s < self._fell_s:
            return False
        self._noise.count(1)
        if not self._doubling and self._noise.explains(self._is_recovering()):
            return False
        self._fall_rate(now_s, start)
        self._fall_places(start.in_flight)
        self._noise.restart()
        self._doubling = False
        self._looked_s = self._fell_s = self._began_s = now_s
        self._starts_before = starts
        return True

    def _is_recovering(self) -> bool:
        return self._rate.is_recovering() and self._places.is_recovering()

    def _fall_rate(self, now_s: float, start: Start) -> None:
        count = start.number - self._starts_before
        if self.rate is None:
            used = count / max(now_s - self._began_s, 1e-3)
            self._rate.fall(used, _FIRST_RATE_FALL)
        else:
            used = count / max(start.started_s - self._began_s, 1e-3)
            failed = min(self.rate, used) if count >= _ENOUGH_STARTS else self.rate
            self._rate.fall(failed, _RATE_FALL)
        self.rate = self._rate.level

    def _fall_places(self, in_flight: int) -> None:
        if in_flight >= self.allowed:
            self._places.fall(max(in_flight, 1.4), _PLACES_FALL)
        elif in_flight * _ABOVE_USE + 1 < self.allowed:
            self._places = Climb(in_flight * _ABOVE_USE + 1)
        self._allow()

    def _climb(self, now_s: float, full: bool, paced: bool) -> None:
        seconds = min(now_s - self._looked_s, 1.0)
        self._looked_s = now_s
        self._rate.climb(seconds, paced)
        self._places.climb(seconds, full and self._rounds.fast and self.allowed < self.most)
        self.rate = self._rate.level
        self._allow()

    def _allow(self) -> None:
        self.allowed = max(1, min(int(self._places.level), self.most))
