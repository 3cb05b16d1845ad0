"""Says what all rows of a run wait for, where it takes long."""

from __future__ import annotations

from datetime import timedelta

from oumi.runner.events import Listener, Resumed, Waiting
from oumi.runner.limits.pause import too_long
from oumi.runner.limits.status import Wait
from oumi.runner.session import Session

_ANNOUNCED_S = 60.0
"""A shorter pause is over before anybody would ask; an outage may last, so it is always said."""


class WaitWatch:
    """Looks at the limiter of a session again and again; `notify` hears of each wait once."""

    def __init__(self, session: Session, notify: Listener):
        self._limiter = session.limiter
        self._max_wait_s = session.retry_policy.max_wait_s
        self._notify = notify
        self._announced: Waiting | None = None

    def look(self) -> None:
        """Raises the error that ends the run for a pause that is longer than it may be."""
        wait = self._limiter.wait
        if wait is None:
            self.end()
        elif not wait.is_outage and wait.left_s > self._max_wait_s:
            raise too_long(wait, self._max_wait_s)
        elif self._is_news(wait):
            self._announced = Waiting(wait.reason, wait.until, wait.is_outage)
            self._notify(self._announced)

    def end(self) -> None:
        """Nobody waits any more."""
        if self._announced is not None:
            self._announced = None
            self._notify(Resumed())

    def _is_news(self, wait: Wait) -> bool:
        announced = self._announced
        if announced is None or announced.is_outage != wait.is_outage:
            return wait.is_outage or wait.left_s > _ANNOUNCED_S
        return wait.until > announced.until + timedelta(seconds=_ANNOUNCED_S)
