"""How much a server bears, found out by trying: requests in flight, and starts a second.

This is congestion control as in TCP: the window is the number of requests that may be in flight,
an overload (429, 503, time-out) is what a lost packet is there, and a request's latency is the
round-trip time. Beside the window there is a rate, since most APIs limit requests a minute.

- Slow start: until the first overload the window doubles with every round trip, as long as
  replies come fast: the mean latency of a round stays under three times that of the best round,
  or the replies a second still grow by a tenth. There is no rate yet.
- Congestion: an overload reduces the limits, once per round trip: overloads of requests sent
  before the last reduction could show belong to it, and only hold the window down.
- Where the server asks for a pause, what it took between its pauses tells what rate it grants
  (granted_rate.py). As long as too little was taken to tell, the rate doubles every second or two.
- The rate is reduced to a little under the rate of starts that led to the overload; the window
  is too, where it was the window that held starts back. Otherwise it is capped a quarter above
  what was in flight, since only a window that is nearly used is known to be borne.
- Congestion avoidance: a reduced limit grows by a curve like that of TCP CUBIC (cubic.py): within
  seconds to just below where it failed, flat there for long, then faster and faster. A limit
  that does not hold starts back does not grow beyond where it failed.
- A limit far below what was borne lately grows eight times as fast, so that an outage of seconds
  costs seconds; each time this ends in congestion, the estimate of what was borne goes down.
- Pacing: once reduced, starts are spread over the round trip, at twice the pace that fills the
  window.
- An overload at a pace well below those that failed is put to a test. If a few requests are still
  refused after a decisive reduction, this is not caused by this client (background_errors.py):
  slow start begins again, and only clearly more overloads count.

tuning.py holds the constants, with what each of them does and what else was tried.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple, Protocol

from oumi.runner.limits.background_errors import BackgroundErrorRate
from oumi.runner.limits.cubic import CubicWindow
from oumi.runner.limits.granted_rate import Grant, GrantedRate, StartedRequest
from oumi.runner.limits.latency_probe import LatencyProbe
from oumi.runner.limits.tuning import TUNING, Tuning

_NO_LIMIT = float("inf")


class PacedRequest(StartedRequest, Protocol):
    """What congestion control needs to know of a request that was started."""

    in_flight: int
    """How many were in flight at the start, this one included."""


class _Sample(NamedTuple):
    """How many requests had been started at a moment."""

    at_s: float
    starts: int


class AdaptiveConcurrency:
    """The limits that one server bears: at most `window` in flight, `rate_per_s` starts a second.

    `max_window` is the user's limit. The owner reports successes and overloads, and calls
    `sample_starts` from start number `next_sample_start` on.
    """

    def __init__(self, max_window: int, tuning: Tuning = TUNING):
        self.max_window = max_window
        self.window = min(tuning.initial_window_requests, max_window)
        self.rate_per_s = _NO_LIMIT
        self.next_sample_start = 0
        self._tuning = tuning
        self._growth_interval_s = tuning.growth_interval_s
        self._is_slow_start = True
        self._window_curve = CubicWindow(self.window, tuning)
        self._rate_curve = CubicWindow(_NO_LIMIT, tuning)
        self._latency_probe = LatencyProbe(tuning)
        self._background = BackgroundErrorRate(tuning)
        self._granted = GrantedRate(tuning)
        self._is_restarted = False  # and the owner has not been told
        self._grown_at_s = self._recovered_at_s = self._regrown_at_s = float("-inf")
        self._older_sample: _Sample | None = None
        self._newer_sample: _Sample | None = None

    def sample_starts(self, now_s: float, starts: int) -> None:
        """Note how many requests have been started, before the next one is.

        Two samples at least a round trip apart are kept: the older one is the beginning of the
        time over which `_start_rate_per_s` measures.
        """
        self.next_sample_start = starts + self._tuning.rate_sample_starts
        self._background.note_starts(starts)
        chance_share = self._granted.chance_share(starts)
        if chance_share > 0:
            self._background.found(chance_share)
            self._restart_slow_start()
        self._granted.note_starts(now_s, starts, self._rate_curve.level)
        if self._rate_curve.is_moving:
            self.next_sample_start = starts
        newer = self._newer_sample
        if newer is None or now_s >= newer.at_s + self._round_trip_s():
            self._newer_sample = _Sample(now_s, starts)
            self._older_sample = newer or self._newer_sample

    def on_success(
        self, now_s: float, latency_s: float, in_flight: int, rate_limited: bool
    ) -> bool:
        """A request succeeded; `rate_limited`: starts wait for the rate now.

        `in_flight` counts it still. Returns whether `rate_per_s` may have changed.
        """
        self._latency_probe.add(now_s, latency_s, in_flight)
        window_is_full = in_flight >= self.window
        if self._is_slow_start:
            if window_is_full and self._may_grow_window():
                self.window += 1  # one more per reply doubles the window per round trip
            if not self._rate_curve.is_search:
                if not self._is_restarted:
                    return False
                self._is_restarted = False
                return True
        if now_s < self._grown_at_s + self._growth_interval_s:
            return False
        self._grow(now_s, window_is_full, rate_limited)
        return True

    def is_background(self, request: PacedRequest) -> bool:
        """Note that a request was refused; whether that has nothing to do with our pace."""
        is_soon = request.started_s < self._regrown_at_s
        self._background.add(request.number, is_soon=is_soon)
        return self._background.explains_overload(request.number)

    def on_overload(
        self, now_s: float, pause_s: float, request: PacedRequest, others_in_flight: int
    ) -> None:
        """A request was refused as too much; nothing starts for `pause_s`."""
        background, number = self._background, request.number
        self._granted.refused(request)
        if request.started_s < self._recovered_at_s:
            if pause_s == 0:
                self._cap_window(others_in_flight)
            return
        is_found = background.test_result(number, request.started_s - self._recovered_at_s)
        if is_found:
            self._restart_slow_start()
        if is_found is not False:
            return
        if self._is_slow_start:
            self._window_curve = CubicWindow(self.window, self._tuning)
        is_soon = request.started_s < self._regrown_at_s
        grant, pace_per_s = self._granted.end(request, pause_s), self._pace_per_s()
        failed_per_s = pace_per_s if grant is None else grant.failed
        background.reduced(number, pace_per_s, failed_per_s, is_soon=is_soon)
        in_flight = max(request.in_flight, others_in_flight + 1)
        if grant is None:
            self._reduce(request, in_flight)
        else:
            self._reduce_to_grant(grant, pause_s)
        self._cap_window(in_flight * self._tuning.window_headroom_ratio)
        self._is_slow_start = self._rate_curve.is_search
        self._grown_at_s = now_s + pause_s
        self._recovered_at_s = now_s + max(pause_s, self._round_trip_s())
        self._regrown_at_s = self._recovered_at_s + self._tuning.plateau_after_s
        self.next_sample_start = 0
        self._older_sample = self._newer_sample = None

    def _round_trip_s(self) -> float:
        return min(self._latency_probe.latency_s, self._tuning.max_round_trip_s)

    def _may_grow_window(self) -> bool:
        return self._latency_probe.is_fast and self.window < self.max_window

    def _restart_slow_start(self) -> None:
        """The reductions were in vain: drop the rate and double again, from this window."""
        self._rate_curve, self.rate_per_s = CubicWindow(_NO_LIMIT, self._tuning), _NO_LIMIT
        self._granted = GrantedRate(self._tuning)
        self._is_slow_start = self._is_restarted = True

    def _reduce(self, request: PacedRequest, in_flight: int) -> None:
        tuning = self._tuning
        window_limited = in_flight >= self.window or self._rate_is_pacing()
        start_rate_per_s, rate_per_s = self._start_rate_per_s(request), self._rate_curve.level
        if start_rate_per_s is not None or rate_per_s < _NO_LIMIT:
            ratio = tuning.rate_decrease_ratio
            if self._background.is_test:
                ratio = tuning.decisive_decrease_ratio
            self._rate_curve.reduce(min(rate_per_s, start_rate_per_s or rate_per_s), ratio)
        if window_limited or (start_rate_per_s is None and rate_per_s == _NO_LIMIT):
            self._window_curve.reduce(
                max(in_flight, tuning.min_failed_window_requests),
                self._window_decrease_ratio(in_flight),
                speed=tuning.slow_start_exit_speed_ratio if self._is_slow_start else 1.0,
            )

    def _reduce_to_grant(self, grant: Grant, pause_s: float) -> None:
        """Down to a rate that is granted, and up to the highest that may be. A try may cost a
        pause: the less there is to be gained, the longer it is put off.
        """
        tuning, curve = self._tuning, self._rate_curve
        least, most = (tuning.granted_ratio * bound for bound in (grant.least, grant.most))
        if self._background.is_test and curve.level < _NO_LIMIT:
            curve.reduce_to(tuning.decisive_decrease_ratio * curve.level, curve.level)
            return
        if not grant.is_measured:
            curve.search(least, tuning.search_doubling_s + self._round_trip_s())
            return
        gap = max(1 - grant.least / grant.most, tuning.min_grant_gap)
        if curve.is_probing and curve.level < tuning.far_probe_ratio * curve.plateau:
            least = most = max(curve.plateau, least)
            gap = tuning.min_grant_gap
        elif not (self._is_slow_start or curve.is_probing):
            most = min(most, tuning.plateau_ratio * curve.plateau)
        wait_s = min(tuning.gap_pauses * pause_s / gap, tuning.max_grant_wait_s)
        if gap > tuning.wide_grant_gap:
            curve.reduce_to(sqrt(least * most), most, plateau_s=wait_s)
        else:
            curve.reduce_to(least, most, rest_s=wait_s, plateau_s=wait_s)

    def _start_rate_per_s(self, request: StartedRequest) -> float | None:
        """Starts a second up to this one; None if there were too few to measure it."""
        if self._older_sample is None:
            return None
        starts = request.number - self._older_sample.starts
        seconds = request.started_s - self._older_sample.at_s
        is_enough = starts >= self._tuning.rate_sample_starts and seconds > 0
        return starts / seconds if is_enough else None

    def _window_decrease_ratio(self, in_flight: int) -> float:
        """No smaller a window than the rate needs: rate * latency, by Little's law."""
        tuning = self._tuning
        if self._background.is_test:
            return tuning.decisive_decrease_ratio
        if self._rate_curve.level == _NO_LIMIT:
            return tuning.window_decrease_ratio
        needed = self._rate_curve.level * self._latency_probe.latency_s / in_flight
        return max(tuning.window_decrease_ratio, min(needed, tuning.max_window_decrease_ratio))

    def _pace_per_s(self) -> float:
        """The starts a second that the limits allow."""
        latency_s = self._latency_probe.latency_s
        by_window_per_s = self._window_curve.level / latency_s if latency_s > 0 else _NO_LIMIT
        return min(self._rate_curve.level, by_window_per_s)

    def _rate_is_pacing(self) -> bool:
        """Whether the rate in force only spreads the window, lower than the rate that is borne."""
        return self._rate_curve.level > self.rate_per_s

    def _grow(self, now_s: float, window_is_full: bool, rate_limited: bool) -> None:
        seconds = min(now_s - self._grown_at_s, self._tuning.max_growth_step_s)
        self._grown_at_s = now_s
        if self._background.is_held:
            return
        window_limited = rate_limited and self._rate_is_pacing()
        window_in_use = window_is_full or window_limited
        self._rate_curve.grow(seconds, in_use=rate_limited and not window_limited)
        if self._is_slow_start:
            self.rate_per_s = self._rate_curve.level
            return
        self._window_curve.grow(seconds, in_use=window_in_use and self._may_grow_window())
        self._update_limits()

    def _cap_window(self, window: float) -> None:
        """No smaller than the rate needs: rate * latency, by Little's law."""
        if self._rate_curve.level < _NO_LIMIT:
            window = max(window, self._rate_curve.level * self._latency_probe.latency_s)
        self._window_curve.cap(window)
        self._update_limits()

    def _update_limits(self) -> None:
        window, latency_s = self._window_curve.level, self._latency_probe.latency_s
        self.window = max(1, min(round(window), self.max_window))
        gain = self._tuning.pacing_gain_ratio
        pacing_per_s = gain * window / latency_s if latency_s > 0 else _NO_LIMIT
        self.rate_per_s = min(self._rate_curve.level, pacing_per_s)
