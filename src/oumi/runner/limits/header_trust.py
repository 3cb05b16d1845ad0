"""Whether what a server reports of a rate limit proves right."""

from __future__ import annotations

from typing import NamedTuple

from oumi.runner.limits.status import RateLimitStatus
from oumi.runner.limits.tuning import TUNING, Tuning


class _Claim(NamedTuple):
    """What a report says about the requests that are started after it."""

    at_s: float
    ends_s: float
    remaining: float
    inflow_per_s: float

    def allowed(self, now_s: float) -> float:
        """How much can be answered until now, if it comes back little by little."""
        if self.remaining < 1:
            return 0.0
        return self.remaining + self.inflow_per_s * (now_s - self.at_s)


class HeaderTrust:
    """Compares one report after the other with what became of the requests that followed it.

    Answers where nothing was left, or more than a report allows, prove it wrong. A refusal proves
    it right where nothing was left, and nothing was answered since. Only requests that were
    started after it came say something about it.
    """

    def __init__(self, tuning: Tuning = TUNING):
        self._tuning = tuning
        self._score = 0  # negative: reports proved wrong; positive: right
        self._claim: _Claim | None = None
        self._answered = 0.0  # units, since the claim

    @property
    def is_believed(self) -> bool:
        """Whether reports are to be followed."""
        return self._score >= 0

    @property
    def is_proved(self) -> bool:
        """Whether requests were refused as reports had said."""
        return self._score >= self._tuning.proofs

    @property
    def max_delay_s(self) -> float:
        """The longest that a report may delay a start."""
        tuning = self._tuning
        return tuning.max_header_delay_s if self.is_proved else tuning.max_unproved_delay_s

    def note_report(self, status: RateLimitStatus, now_s: float) -> None:
        """A report came. It is followed up, unless an earlier one still is."""
        tuning = self._tuning
        if self._claim is not None and now_s < self._claim.ends_s:
            return
        self._claim, self._answered = None, 0.0
        if status.reset_s >= tuning.min_claim_s:
            ends_s = now_s + min(tuning.claim_ratio * status.reset_s, tuning.max_claim_s)
            inflow_per_s = status.limit / status.reset_s
            self._claim = _Claim(now_s, ends_s, status.remaining, inflow_per_s)

    def answered(self, started_s: float, now_s: float, units: float) -> bool:
        """A request was answered. Returns whether reports have proved wrong."""
        claim = self._claim_about(started_s)
        if claim is None:
            return False
        self._answered += units
        if self._answered <= claim.allowed(now_s):
            return False
        self._claim = None
        self._score = max(min(self._score, 0) - 1, -self._tuning.max_distrust)
        return True

    def refused(self, started_s: float) -> None:
        """A request was refused as too much."""
        claim = self._claim_about(started_s)
        if claim is not None and claim.remaining < 1 and self._answered == 0:
            self._claim = None
            self._score = min(self._score + 1, self._tuning.proofs)

    def _claim_about(self, started_s: float) -> _Claim | None:
        claim = self._claim
        return claim if claim is not None and claim.at_s <= started_s < claim.ends_s else None
