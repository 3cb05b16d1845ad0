"""A pause that a server asked for."""

from __future__ import annotations

from oumi.errors import UnavailableError
from oumi.runner.limits.status import Wait, time_text

_NO_REASON = "the server asks to wait"


class Pause:
    """Until when nothing starts, and why; at most `max_wait_s` are waited for."""

    def __init__(self, max_wait_s: float):
        self.until_s = float("-inf")
        self._max_wait_s = max_wait_s
        self._reason = ""

    def extend(self, now_s: float, wait_s: float, reason: str = "") -> None:
        """Start nothing for `wait_s` seconds from now."""
        if self.until_s <= now_s:
            self._reason = ""
        self.until_s = max(self.until_s, now_s + wait_s)
        self.explain(reason)

    def explain(self, reason: str) -> None:
        """Why: the last words stay."""
        self._reason = reason or self._reason

    def wait(self, now_s: float) -> Wait | None:
        """What is left of it."""
        left_s = self.until_s - now_s
        return Wait(self._reason or _NO_REASON, left_s) if left_s > 0 else None

    def check(self, now_s: float) -> None:
        """Raises the error that ends the run where it is longer than it may be."""
        wait = self.wait(now_s)
        if wait is not None and wait.left_s > self._max_wait_s:
            raise too_long(wait, self._max_wait_s)


def too_long(wait: Wait, max_wait_s: float) -> UnavailableError:
    """The error that ends the run for a wait that is longer than it may be."""
    reason = wait.reason.rstrip(".")
    return UnavailableError(
        f"{reason}. That is to wait until {time_text(wait.until)}, longer than "
        f"remote_params.max_wait_s = {max_wait_s:g} allows. What is recorded is kept, and the "
        "same call goes on from there.",
        ends_run=True,
    )
