"""Rate limits as the headers of a reply report them, and who passes them on to the limiter.

The parsers are pure functions: `now_s` is the time of day (Unix seconds) that dates are related
to, every answer is in seconds from then. A value that cannot be parsed gives None, never an
error: a strange header must not cost a paid answer. Names are looked up in lower case, as every
HTTP stack here delivers or compares them.

Headers that are read, and where they are described:
  Retry-After: 2 | 0.5 | Wed, 21 Oct 2026 07:28:00 GMT     RFC 9110, 10.2.3
  retry-after-ms: 1500                                     Azure and OpenAI
  x-ratelimit-{limit,remaining,reset}-{requests,tokens}    OpenAI and most that follow it; the
        reset is a duration such as 6m0s, 1s, 12ms, or a number of seconds
  x-ratelimit-{limit,remaining,reset}, ratelimit-…         one limit, of requests; the reset
        may be a time of day
  x-ratelimit-{limit,remaining}-{req,tokens}-minute        Mistral, without a reset
  x-ratelimit-{limit,remaining,reset}-{requests,tokens}-minute      Cerebras
  x-ratelimit-{limit,remaining}-tokens-{prompt,generated}  Fireworks, of a minute
  x-tokenlimit-{limit,remaining}                           Together; the reset is that of requests
  anthropic-ratelimit-{requests,tokens,input-tokens,output-tokens}-{limit,remaining,reset}
        the reset is an RFC 3339 time
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, Protocol

from oumi.errors import OVERLOADED
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.status import RateLimitStatus

_UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|[dhms])")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")

_MIN_UNIX_S = 1e9
"""A number as large as this is a time of day, not a duration: as a duration it were 31 years."""
_MIN_UNIX_MS = 1e12
"""A number as large as this is a time of day in milliseconds: as seconds it were 31,000 years."""

_STATUS_INTERVAL_S = 0.02
"""Replies can come thousands a second, and reading 14 families of headers from each would cost
more than it tells: 50 times a second is as good."""


class _Names(NamedTuple):
    """The headers that report one limit."""

    limit: str
    remaining: str
    reset: str


def _names(template: str) -> _Names:
    return _Names(*(template.format(part) for part in ("limit", "remaining", "reset")))


_FAMILIES: tuple[tuple[str, _Names], ...] = (
    ("requests", _names("x-ratelimit-{}-requests")),
    ("tokens", _names("x-ratelimit-{}-tokens")),
    ("requests", _names("x-ratelimit-{}")),
    ("requests", _names("ratelimit-{}")),
    ("requests", _names("x-ratelimit-{}-requests-minute")),
    ("requests", _names("x-ratelimit-{}-req-minute")),
    ("tokens", _names("x-ratelimit-{}-tokens-minute")),
    ("tokens", _Names("x-tokenlimit-limit", "x-tokenlimit-remaining", "x-ratelimit-reset")),
    ("input_tokens", _names("x-ratelimit-{}-tokens-prompt")),
    ("output_tokens", _names("x-ratelimit-{}-tokens-generated")),
    ("requests", _names("anthropic-ratelimit-requests-{}")),
    ("tokens", _names("anthropic-ratelimit-tokens-{}")),
    ("input_tokens", _names("anthropic-ratelimit-input-tokens-{}")),
    ("output_tokens", _names("anthropic-ratelimit-output-tokens-{}")),
)
_MINUTE_SUFFIXES = ("-minute", "-prompt", "-generated")
"""Limits whose headers without a reset are for a minute."""


class HeaderObserver(Protocol):
    """Is told the headers of each reply."""

    def observe(self, headers: Mapping[str, str], status: int) -> None:
        """Take note of those of a reply with this status."""
        ...


class RateLimitObserver:
    """Passes on what the headers of replies say about limits to one limiter.

    `clock` counts seconds steadily, `wall_clock` seconds since 1970.
    """

    def __init__(
        self,
        limiter: Limiter,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ):
        self.limiter = limiter
        self._clock = clock
        self._wall_clock = wall_clock
        self._next_status_s = float("-inf")

    def observe(self, headers: Mapping[str, str], status: int = 200) -> None:
        """Pass on the headers of one reply: Retry-After always, the rest at most every 20 ms.

        Where a reply has both, the first says what the server wants. Of a reply that means
        overload the limiter hears by the error, and judges it.
        """
        if "retry-after" in headers or "retry-after-ms" in headers:
            wait_s = retry_after_s(headers, self._wall_clock())
            if wait_s is not None:
                if status not in OVERLOADED:
                    self.limiter.pause(wait_s)
                return
        now_s = self._clock()
        if now_s >= self._next_status_s:
            self._next_status_s = now_s + _STATUS_INTERVAL_S
            for report in rate_limit_statuses(headers, self._wall_clock()):
                self.limiter.observe(report)


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """How long the server asks to wait, None if it does not: from milliseconds if it sends both."""
    milliseconds, text = headers.get("retry-after-ms"), headers.get("retry-after")
    if milliseconds is not None and (wait_ms := _number(milliseconds)) is not None:
        return max(wait_ms / 1000, 0.0)
    return None if text is None else until_s(text, now_s)


def rate_limit_statuses(headers: Mapping[str, str], now_s: float) -> list[RateLimitStatus]:
    """The limits that the headers report in full, at most one of each kind."""
    found: dict[str, RateLimitStatus] = {}
    for kind, names in _FAMILIES:
        if names.remaining in headers and kind not in found:
            status = _status(kind, names, headers, now_s)
            if status is not None:
                found[kind] = status
    return list(found.values())


def until_s(text: str, now_s: float) -> float | None:
    """Seconds from now until a number of seconds, a duration such as `6m0s`, or a date has passed.

    Never negative; None for any other text.
    """
    text = text.strip()
    number = _number(text)
    if number is not None:
        return max(_number_until_s(number, now_s), 0.0)
    if _DURATION.fullmatch(text):
        wait_s = sum(float(size) * _UNITS_S[unit] for size, unit in _DURATION_PART.findall(text))
        return wait_s if wait_s < float("inf") else None
    date_s = _date_s(text)
    return None if date_s is None else max(date_s - now_s, 0.0)


def _status(
    kind: str, names: _Names, headers: Mapping[str, str], now_s: float
) -> RateLimitStatus | None:
    remaining = _number(headers.get(names.remaining))
    if remaining is None:
        return None
    limit, reset = _number(headers.get(names.limit)), headers.get(names.reset)
    reset_s = _default_reset_s(names.limit) if reset is None else until_s(reset, now_s)
    if not limit or limit < 0 or reset_s is None:
        return None
    return RateLimitStatus(kind, limit, min(max(remaining, 0.0), limit), reset_s)


def _default_reset_s(name: str) -> float | None:
    return 60.0 if name.endswith(_MINUTE_SUFFIXES) else None


def _number_until_s(number: float, now_s: float) -> float:
    if number >= _MIN_UNIX_MS:
        return number / 1000 - now_s
    return number - now_s if number >= _MIN_UNIX_S else number


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and abs(number) < float("inf") else None


def _date_s(text: str) -> float | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = parse(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    return None
