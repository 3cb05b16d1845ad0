"""A time in which a server is away: a gate that lets single requests through, to see."""

from __future__ import annotations

from oumi.errors import UnavailableError
from oumi.runner.limits.gates import REQUESTS, Amounts
from oumi.runner.limits.retry import RetryPolicy

_STALE_S = 5.0
"""Rows that wait take a probe when it is due. A probe that is overdue by this much shows that
those who waited are gone."""

_PATIENCE_WITH_PROBE_S = 25.0
"""A connection fails within 20 s. What takes longer is either a long answer or lost on its way, so
that another probe is sent beside it."""

_TOO_MANY_REQUESTS = 429


def is_sign_of_outage(error: UnavailableError) -> bool:
    """Whether a server that was away is not back yet. One that loads its model answers 503."""
    return error.broken or (error.busy and error.status != _TOO_MANY_REQUESTS)


def patience(seconds: float) -> str:
    """How long a server was waited for, in an error."""
    return f"for {seconds:g} s (remote_params.max_outage_s)"


class Outage:
    """A gate that lets one request at a time through, with longer and longer pauses between.

    `is_first_contact`: nothing was ever answered, so that a wrong address is likelier than an
    outage, and only as many tries are made as for one row.
    """

    kind = REQUESTS

    def __init__(
        self,
        error: UnavailableError,
        policy: RetryPolicy,
        now_s: float,
        starts: int,
        *,
        is_first_contact: bool,
    ):
        self.error = error
        self.starts = starts
        """How many requests had been started when it began; those after are probes."""
        self._policy = policy
        self._is_first_contact = is_first_contact
        self._began_s = now_s
        self._failures = 0
        self._next_probe_s = now_s
        self._probe_began_s: float | None = None
        self.probe_failed(error, now_s)

    @property
    def lasted(self) -> str:
        """How long it has lasted, for an error."""
        if self._is_first_contact:
            return f"in {self._failures} tries"
        return patience(self._policy.max_outage_s or 0.0)

    @property
    def ends_s(self) -> float:
        """When the patience of the settings is over."""
        return self._began_s + (self._policy.max_outage_s or 0.0)

    def ready_s(self, now_s: float, amounts: Amounts) -> float:
        """When the next probe may start."""
        if self._probe_began_s is None:
            return self._next_probe_s
        return self._probe_began_s + _PATIENCE_WITH_PROBE_S

    def reserve(self, now_s: float, amounts: Amounts) -> None:
        """The start is the probe."""
        self._probe_began_s = now_s

    def probe_failed(self, error: UnavailableError, now_s: float) -> None:
        """The server is away still; wait longer than before, but not past the end."""
        self.error = error
        self._failures += 1
        next_s = now_s + self._policy.backoff_s(self._failures)
        last_s = max(self.ends_s, now_s)
        self._next_probe_s = next_s if self._is_first_contact else min(next_s, last_s)
        self._probe_began_s = None

    def drop_probe(self) -> None:
        """The probe was cancelled, so that another one may start."""
        self._probe_began_s = None

    def is_over_patience(self, now_s: float) -> bool:
        """Whether it has lasted for longer than the settings allow."""
        if self._is_first_contact:
            return self._failures > self._policy.max_retries
        return now_s >= self.ends_s

    def is_stale(self, now_s: float) -> bool:
        """Whether nobody has waited for its next probe."""
        return self._probe_began_s is None and now_s > self._next_probe_s + _STALE_S

    def restart(self, now_s: float) -> None:
        """Who waited has given up; who comes from now on begins anew."""
        self._is_first_contact = True
        self._began_s, self._failures = now_s, 0
        self._next_probe_s = now_s + self._policy.backoff_s(1)
