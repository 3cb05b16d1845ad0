"""Overloads that come no matter how slowly requests are sent."""

from __future__ import annotations

from math import sqrt

from oumi.runner.limits.tuning import TUNING, Tuning


class BackgroundErrorRate:
    """Tells overloads that slowing down cannot avoid from those that it can.

    A few overloads at a rate far below the rates that failed are not caused by this client.
    Their share of all attempts is remembered, and from then on only clearly more overloads than
    that share are a sign of congestion.
    """

    __slots__ = (
        "_attempts",
        "_failed_rate_per_s",
        "_memory_attempts",
        "_overloads",
        "_share",
        "_tuning",
        "has_new_share",
    )

    def __init__(self, tuning: Tuning = TUNING) -> None:
        self._tuning = tuning
        self._memory_attempts = tuning.background_memory_attempts
        self._attempts = self._overloads = 0.0
        self._share = 0.0
        self._failed_rate_per_s = 0.0
        self.has_new_share = False
        """Whether the share was measured anew and nobody has reacted to it yet."""

    def add(self, overloads: int) -> None:
        """An attempt ended, with 0 or 1 overloads."""
        self._attempts += 1
        self._overloads += overloads
        if self._attempts >= self._memory_attempts:  # older attempts count for less and less
            self._attempts /= 2
            self._overloads /= 2

    def explains_overload(self, rate_per_s: float) -> bool:
        """Whether the overload added last, at this rate of starts, was to be expected."""
        tuning = self._tuning
        are_few = self._overloads <= tuning.few_overloads_ratio * self._attempts + 1
        is_slow = rate_per_s < tuning.background_rate_ratio * self._failed_rate_per_s
        if is_slow and are_few and self._attempts >= tuning.background_min_attempts:
            self.has_new_share = True
            self._share = self._overloads / self._attempts
            return True
        expected = self._share * self._attempts
        # Twice as many, and two standard deviations of a Poisson count on top, are still chance.
        return expected > 0 and self._overloads <= 2 * expected + 2 * sqrt(expected) + 2

    def reduced(self, rate_per_s: float) -> None:
        """The limits were reduced after an overload at this rate: begin a new count."""
        tuning = self._tuning
        min_attempts = tuning.background_min_attempts / 2
        are_many = self._overloads > tuning.many_overloads_ratio * max(self._attempts, min_attempts)
        if rate_per_s < float("inf"):
            faded_per_s = self._failed_rate_per_s * tuning.failed_rate_decay_ratio
            self._failed_rate_per_s = rate_per_s if are_many else max(rate_per_s, faded_per_s)
        if are_many:
            self._share /= 2
        self._attempts = self._overloads = 0.0
