"""Rate limits, and what their headers say."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import formatdate

from tests.fault_server.plan import Limit


class Bucket:
    """Holds at most `burst` tokens, gains `per_second`."""

    def __init__(self, limit: Limit):
        self.limit = limit
        self._tokens = limit.burst
        self._filled_s = time.monotonic()

    def take(self) -> bool:
        """Whether a request may pass now."""
        now = time.monotonic()
        gained = (now - self._filled_s) * self.limit.per_second
        self._tokens = min(self.limit.burst, self._tokens + gained)
        self._filled_s = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def headers(self) -> dict[str, str]:
        """What a provider tells of its limit in each reply."""
        if not self.limit.headers:
            return {}
        per_minute = str(round(self.limit.per_second * 60))
        remaining = str(math.floor(self._tokens))
        reset_s = (self.limit.burst - self._tokens) / self.limit.per_second
        if self.limit.headers == "anthropic":
            at = datetime.now(UTC) + timedelta(seconds=reset_s)
            name = "anthropic-ratelimit-requests-"
            return {
                f"{name}limit": per_minute,
                f"{name}remaining": remaining,
                f"{name}reset": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        return {
            "x-ratelimit-limit-requests": per_minute,
            "x-ratelimit-remaining-requests": remaining,
            "x-ratelimit-reset-requests": f"{round(reset_s * 1000)}ms",
        }

    def refusal_headers(self) -> dict[str, str]:
        """The same with when to come again."""
        if not self.limit.retry_after:
            return self.headers()
        wait_s = (1 - self._tokens) / self.limit.per_second
        return self.headers() | retry_after(wait_s, self.limit.retry_after_form)


class Window:
    """Lets through as many as make `per_second` in each period of `window_s`."""

    def __init__(self, limit: Limit):
        self.limit = limit
        self._most = round(limit.per_second * limit.window_s)
        self._taken = self._number = 0

    def take(self) -> bool:
        """Whether a request may pass now."""
        number = int(time.monotonic() // self.limit.window_s)
        if number != self._number:
            self._number, self._taken = number, 0
        self._taken += 1
        return self._taken <= self._most

    def headers(self) -> dict[str, str]:
        """It tells nothing."""
        return {}

    def refusal_headers(self) -> dict[str, str]:
        """When the next period begins."""
        if not self.limit.retry_after:
            return {}
        wait_s = self.limit.window_s - time.monotonic() % self.limit.window_s
        return retry_after(wait_s, self.limit.retry_after_form)


def gate(limit: Limit) -> Bucket | Window:
    """What keeps a limit."""
    return Window(limit) if limit.window_s else Bucket(limit)


def retry_after(wait_s: float, form: str) -> dict[str, str]:
    """The header in one of its forms: seconds, date, ms."""
    if form == "ms":
        return {"retry-after-ms": str(math.ceil(wait_s * 1000))}
    if form == "date":
        return {"retry-after": formatdate(math.ceil(time.time() + wait_s), usegmt=True)}
    return {"retry-after": str(math.ceil(wait_s))}
