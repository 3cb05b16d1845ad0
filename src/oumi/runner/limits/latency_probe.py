"""Whether a server still answers as fast as it can."""

from __future__ import annotations

from oumi.runner.limits.tuning import TUNING, Tuning


class LatencyProbe:
    """Compares each round of replies with the best rounds before, as HyStart++ (RFC 9406) does.

    A round is as many replies as there are requests in flight. Its replies are fast while their
    mean latency is below a multiple of that of the best round, or while more of them come per
    second than in any round before: then a longer latency buys throughput.
    """

    __slots__ = (
        "_best_latency_s",
        "_best_rate_per_s",
        "_latency_sum_s",
        "_min_round_replies",
        "_replies_left",
        "_round_replies",
        "_round_started_s",
        "_smoothing_ratio",
        "_tuning",
        "is_fast",
        "latency_s",
    )

    def __init__(self, tuning: Tuning = TUNING) -> None:
        self.is_fast = True
        self.latency_s = 0.0
        """The smoothed latency of replies (TCP: the smoothed round-trip time); 0 before any."""
        self._tuning = tuning
        self._smoothing_ratio = tuning.latency_smoothing_ratio
        self._min_round_replies = tuning.initial_window_requests
        self._best_latency_s = float("inf")
        self._best_rate_per_s = 0.0
        self._round_started_s = self._latency_sum_s = 0.0
        self._round_replies = self._replies_left = 0

    def add(self, now_s: float, latency_s: float, in_flight: int) -> None:
        """Take one reply into account."""
        self._latency_sum_s += latency_s
        smoothed_s = self.latency_s
        if smoothed_s:
            latency_s = smoothed_s + (latency_s - smoothed_s) * self._smoothing_ratio
        self.latency_s = latency_s
        self._replies_left = left = self._replies_left - 1
        if left <= 0:
            self._compare_round(now_s)
            self._round_replies = self._replies_left = max(in_flight, self._min_round_replies)
            self._round_started_s, self._latency_sum_s = now_s, 0.0

    def _compare_round(self, now_s: float) -> None:
        if self._round_replies == 0:  # the very first reply only begins a round
            return
        tuning = self._tuning
        latency_s = self._latency_sum_s / self._round_replies
        rate_per_s = self._round_replies / max(now_s - self._round_started_s, 1e-9)
        self.is_fast = (
            latency_s < tuning.max_latency_ratio * self._best_latency_s
            or rate_per_s > tuning.min_rate_growth_ratio * self._best_rate_per_s
        )
        decay_ratio = tuning.best_round_decay_ratio
        self._best_latency_s = min(self._best_latency_s * (1 + decay_ratio), latency_s)
        self._best_rate_per_s = max(self._best_rate_per_s * (1 - decay_ratio), rate_per_s)
