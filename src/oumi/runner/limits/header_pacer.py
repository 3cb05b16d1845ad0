"""The pace that follows from what a server reports of one of its rate limits.

A report says that `remaining` of `limit` are left and that all are back in `reset_s`. It does
not say how they come back: all at once (a fixed window) or one by one (a token bucket). So:

- As long as nothing else is known, what remains is spread over the time to the reset. That is
  right for a window. For a bucket it is too slow where little is left and too fast where much
  is, and it balances where half of the bucket is left: there the pace is the bucket's inflow.
- A bucket shows itself: its reset moves away while no more remains than before, which the reset
  of a window never does. Then the inflow is known, (limit - remaining) / reset_s. The pace is a
  little below it, lower still while less than a small reserve is left, and higher while more
  than that is left, by as much as uses up the surplus in a minute.

A report is a hint and no promise. Whether it is right shows what becomes of the requests that are
started after it (header_trust.py). No hint is followed after they have proved it wrong. Until they
have proved it right, no start is held back for more than a second, and where nothing is said to be
left, starts are a little faster than it comes back at most: either they are refused or answered.
"""

from __future__ import annotations

from oumi.runner.limits.gates import INPUT, OUTPUT, REQUESTS, TOKENS, Amounts, EvenPacer
from oumi.runner.limits.header_trust import HeaderTrust
from oumi.runner.limits.status import RateLimitStatus
from oumi.runner.limits.tuning import TUNING, Tuning

_KINDS = {"requests": REQUESTS, "tokens": TOKENS, "input_tokens": INPUT, "output_tokens": OUTPUT}


class HeaderPacer:
    """Keeps starts within one rate limit that the server reports. `pacer` is its gate."""

    def __init__(self, kind: str, tuning: Tuning = TUNING):
        self.pacer = EvenPacer(_KINDS[kind], catch_up_s=tuning.catch_up_s)
        self._trust = HeaderTrust(tuning)
        self._tuning = tuning
        self._bucket_signs = 0
        self._previous: tuple[float, float, float] | None = None  # when, remaining, reset at

    def update(self, status: RateLimitStatus, now_s: float) -> None:
        """Adjust the pace to what was reported at this moment."""
        self._trust.note_report(status, now_s)
        self._look_for_bucket(status, now_s)
        if self._trust.is_believed:
            self._follow(status, now_s)

    def answered(self, started_s: float, now_s: float, used: Amounts) -> None:
        """A request that was started then was answered, and used so much."""
        if self._trust.answered(started_s, now_s, used[self.pacer.kind]):
            self.pacer.release(now_s)

    def refused(self, started_s: float) -> None:
        """A request that was started then was refused as too much."""
        self._trust.refused(started_s)

    def _follow(self, status: RateLimitStatus, now_s: float) -> None:
        max_delay_s = min(status.reset_s, self._trust.max_delay_s)
        self.pacer.max_delay_s = max_delay_s
        inflow_per_s = self._bucket_inflow_per_s(status)
        if status.remaining < 1 and not self._trust.is_proved:
            faster_s = status.reset_s / status.limit / self._tuning.unproved_pace_ratio
            self.pacer.set_interval(now_s, faster_s)
        elif inflow_per_s > 0:
            self.pacer.set_interval(now_s, 1 / self._bucket_pace_per_s(status, inflow_per_s))
        elif status.remaining >= 1:
            self.pacer.set_interval(now_s, status.reset_s / status.remaining)
        else:
            self.pacer.set_interval(now_s, status.reset_s / status.limit)
            self.pacer.pause_until(now_s + max_delay_s)

    def _bucket_inflow_per_s(self, status: RateLimitStatus) -> float:
        """What flows into the bucket; 0 where it is not known, or not known to be a bucket."""
        used = status.limit - status.remaining
        is_bucket = self._bucket_signs >= self._tuning.bucket_signs
        return used / status.reset_s if is_bucket and used >= 1 and status.reset_s > 0 else 0.0

    def _bucket_pace_per_s(self, status: RateLimitStatus, inflow_per_s: float) -> float:
        tuning = self._tuning
        reserve = min(status.limit / 2, max(tuning.bucket_reserve_s * inflow_per_s, 1.0))
        full_ratio, empty_ratio = tuning.bucket_pace_ratio, tuning.empty_bucket_pace_ratio
        if status.remaining < reserve:
            ratio = empty_ratio + (full_ratio - empty_ratio) * status.remaining / reserve
            return inflow_per_s * ratio
        return inflow_per_s * full_ratio + (status.remaining - reserve) / tuning.bucket_drain_s

    def _look_for_bucket(self, status: RateLimitStatus, now_s: float) -> None:
        reset_at_s = now_s + status.reset_s
        if self._previous is not None:
            then_s, then_remaining, then_reset_at_s = self._previous
            if now_s - then_s < self._tuning.bucket_sign_interval_s:
                return
            if status.remaining <= then_remaining:
                # A reset in whole seconds jumps by up to one second by rounding alone.
                rounding_s = 1.0 if status.reset_s == round(status.reset_s) else 0.0
                moved_s = reset_at_s - then_reset_at_s - rounding_s
                is_sign = moved_s > self._tuning.bucket_drift_ratio * (now_s - then_s)
                self._bucket_signs = self._bucket_signs + 1 if is_sign else 0
        self._previous = (now_s, status.remaining, reset_at_s)
