"""Overloads that come no matter how slowly requests are sent."""

from __future__ import annotations

from math import sqrt

from oumi.runner.limits.tuning import TUNING, Tuning


class BackgroundErrorRate:
    """Tells overloads that slowing down cannot avoid from those that it can.

    An overload at a pace well below one that failed before is put to a test: the limits are
    reduced decisively and held. If a few requests are refused all the same, it is not because of
    their pace. The share of these is remembered, and from then on only clearly more overloads than
    that are a sign of congestion.

    Requests are known by their numbers, in the order of their starts, so that refusals, which come
    at once, and answers, which take long, are counted alike.
    """

    __slots__ = (
        "_failed_per_s",
        "_is_measured",
        "_overloads",
        "_share",
        "_since_number",
        "_tuning",
        "is_held",
        "is_test",
    )

    def __init__(self, tuning: Tuning = TUNING) -> None:
        self.is_test = False
        """Whether the last reduction was a decisive one."""
        self.is_held = False
        """Whether the limits do not grow until the test is over."""
        self._tuning = tuning
        self._share = 0.0
        self._since_number = 0  # overloads of the requests after this one are counted
        self._overloads = 0.0
        self._failed_per_s = 0.0  # the highest pace of late that was too much
        self._is_measured = True  # the share, since the last reduction

    def add(self, number: int, *, is_soon: bool) -> None:
        """A request was refused; `is_soon` after a reduction, before the limits have grown back."""
        if number <= self._since_number:
            return
        if not is_soon and not self._is_measured:
            self._measure(number)
        self._overloads += 1
        memory = self._tuning.background_memory_requests
        if number - self._since_number > memory:  # older ones count for less and less
            self._since_number = number - memory // 2
            self._overloads /= 2

    def explains_overload(self, number: int) -> bool:
        """Whether the overload added last was to be expected."""
        expected = self._share * max(number - self._since_number, 0)
        # One more, and so many standard deviations of a Poisson count on top, are still chance.
        chance = self._tuning.background_deviations * sqrt(expected) + 1
        return self._share > 0 and self._overloads <= expected + chance

    def test_result(self, number: int, test_s: float) -> bool | None:
        """Whether a test of `test_s` shows that overloads are background; None: too early to say.

        Where there is no test, they are congestion.
        """
        tuning = self._tuning
        share = self._overloads / max(number - self._since_number, 1)
        if not self.is_test or (share > tuning.max_background_share and self._overloads > 1):
            return False
        if self._overloads < tuning.background_overloads or test_s < tuning.min_test_s:
            return None
        self.found(share)
        return True

    def found(self, share: float) -> None:
        """Such a share of requests is refused at any pace."""
        self._share = max(self._share, min(share, self._tuning.first_background_share))
        self.is_test = self.is_held = False
        self._failed_per_s = 0.0

    def reduced(
        self, number: int, pace_per_s: float, failed_per_s: float, *, is_soon: bool
    ) -> None:
        """The limits are about to be reduced, at this pace of starts (infinite: not known). So much
        of it is too much for certain; 0: nothing.
        """
        tuning = self._tuning
        if is_soon and self._share > 0:
            self._measure(number)
        if pace_per_s < float("inf"):
            self.is_test = pace_per_s < tuning.background_rate_ratio * self._failed_per_s
            faded_per_s = self._failed_per_s * tuning.failed_rate_decay_ratio
            self._failed_per_s = max(failed_per_s, faded_per_s)
            if self.is_test:
                self._failed_per_s = pace_per_s * tuning.decisive_decrease_ratio
        share = self._overloads / max(number - self._since_number, 1)
        self.is_held = self.is_test and share < tuning.outage_share
        self._since_number, self._overloads = number, 0.0
        self._is_measured = self._share == 0

    def note_starts(self, starts: int) -> None:
        """So many requests were started; a test lasts for some of them."""
        if self.is_test and starts > self._since_number + self._tuning.test_requests:
            self.is_test = self.is_held = False

    def _measure(self, number: int) -> None:
        """Soon after a reduction, nothing but the background is refused."""
        tuning, requests = self._tuning, number - self._since_number
        if self._overloads > tuning.max_background_share * requests:
            return
        known = tuning.background_weight_requests
        share = (self._share * known + self._overloads) / (known + requests)
        self._share = share if share >= tuning.min_background_share else 0.0
        self._is_measured = True
