"""What follows a failed try of a request: another one and when, or an end of it.

Not each failure counts against the request. A try is used up only by what may be the request's
own fault:

- A server that cannot be reached, and one over which row after row breaks, is an outage
  (outage.py): the request goes back to the limiter, which holds it until the server is back.
- A server with too much to do (429, 503, 529) is given time: `max_outage_s` since it first
  refused the request, and what it asked to wait besides.
- A worker of a cluster that is gone took its requests along: they go to another one at once.
- Anything else that may pass uses up one of `max_retries`; half of one where one row in fifty or
  more breaks at its first try, since then a row may break four times in a row by chance.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from oumi.errors import OumiError, UnavailableError
from oumi.runner.limits.outage import is_sign_of_outage, patience
from oumi.runner.limits.pause import too_long
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.limits.status import Wait

if TYPE_CHECKING:
    from oumi.runner.limits.limiter import Limiter


class Tries:
    """The failed tries of one request. Made once one has failed."""

    __slots__ = (
        "_broke_answers",
        "_busy_answers",
        "_busy_s",
        "_clock",
        "_in_vain",
        "_last_answers",
        "_limiter",
        "_named_wait_s",
        "_own",
        "_policy",
    )

    def __init__(
        self, policy: RetryPolicy, limiter: Limiter, clock: Callable[[], float] = time.monotonic
    ):
        self._policy = policy
        self._limiter = limiter
        self._clock = clock
        self._own = 0  # tries that count against the request
        self._in_vain = 0  # refusals for too much to do, since others were last answered
        self._busy_s: float | None = None  # when the first refusal was
        self._busy_answers = self._last_answers = 0  # how many answers there were then, and lately
        self._named_wait_s = 0.0  # what the server asked to wait after refusals
        self._broke_answers = -1  # how many answers there were when this request last broke

    def next_wait_s(self, error: OumiError) -> float | None:
        """Seconds until the next try; None: give up. Raises the error that ends the run."""
        policy = self._policy
        if error.costs_no_try:
            return 0.0
        if not isinstance(error, UnavailableError) or policy.max_outage_s is None:
            return self._count(error)
        if (error.wait_s or 0.0) > policy.max_wait_s:
            raise too_long(Wait(str(error), error.wait_s or 0.0), policy.max_wait_s)
        if self._is_outage(error):
            self._limiter.availability.check_patience()
            return policy.politeness_s
        if error.busy and policy.max_retries:  # with 0, the caller wants to hear of each refusal
            return self._be_patient(error, policy.max_outage_s)
        return self._count(error)

    def _count(self, error: OumiError) -> float | None:
        """The wait after a try that counts; where many rows break at times, only half as much."""
        availability = self._limiter.availability
        self._own += 1
        if self._own == 1:
            availability.rows_failed += 1
        attempt = (self._own + 1) // 2 if availability.is_flaky else self._own
        return self._policy.next_wait_s(attempt, error)

    def _is_outage(self, error: UnavailableError) -> bool:
        """Whether the server is away, as far as this error and those before it show."""
        availability = self._limiter.availability
        if availability.outage is not None:
            return is_sign_of_outage(error)
        if error.unreachable or (error.broken and self._breaks_as_others_do(error)):
            availability.begin(error, self._policy, self._limiter.starts)
            return True
        return False

    def _breaks_as_others_do(self, error: UnavailableError) -> bool:
        availability = self._limiter.availability
        if error.overload:  # too late, and others may have been answered meanwhile
            return False
        if self._broke_answers == availability.answers:
            return False
        self._broke_answers = availability.answers
        return availability.row_broke(error, 2 * self._limiter.limits.in_flight)

    def _be_patient(self, error: UnavailableError, patience_s: float) -> float | None:
        """The wait after a refusal; a row that others are preferred to all the time fails."""
        availability, now_s = self._limiter.availability, self._clock()
        if self._busy_s is None:
            self._busy_s, self._busy_answers = now_s, availability.answers
        ends_s = self._busy_s + patience_s + min(self._named_wait_s, self._policy.max_wait_s)
        if now_s > ends_s:
            if availability.answers == self._busy_answers:
                raise availability.given_up(error, patience(patience_s))
            return None
        availability.refused(error, ends_s)
        wait_s = self._policy.wait_s(self._refusals_in_vain(), error)
        if error.wait_s:
            self._named_wait_s += wait_s
        return wait_s

    def _refusals_in_vain(self) -> int:
        """Where the limiter adapts the pace, the wait grows only while nobody is answered."""
        answers = self._limiter.availability.answers
        if answers != self._last_answers and self._limiter.limits.adaptive:
            self._in_vain = 0
        self._last_answers = answers
        self._in_vain += 1
        return self._in_vain
