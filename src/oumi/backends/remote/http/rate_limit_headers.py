"""What the headers of a reply say about limits, as plain numbers.

Pure functions: `now_s` is the time of day (Unix seconds) to which dates are related, every
answer is in seconds from then. What cannot be read is None, never an error: a strange header
must not cost a paid answer. Names are asked for in lower case, as every HTTP stack here
delivers them or compares them.

Shapes read, with where they are described:
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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_UNITS_S = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|[dhms])")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_EPOCH_FROM_S = 1e9  # a number as large as this is a time of day, not a duration
_EPOCH_MS_FROM = 1e12

_MINUTE_S = 60.0

_Names = tuple[str, str, str]  # of the limit, of what remains of it, and of its reset


def _names(form: str) -> _Names:
    return form.format("limit"), form.format("remaining"), form.format("reset")


_FAMILIES: tuple[tuple[str, _Names], ...] = (
    ("requests", _names("x-ratelimit-{}-requests")),
    ("tokens", _names("x-ratelimit-{}-tokens")),
    ("requests", _names("x-ratelimit-{}")),
    ("requests", _names("ratelimit-{}")),
    ("requests", _names("x-ratelimit-{}-requests-minute")),
    ("requests", _names("x-ratelimit-{}-req-minute")),
    ("tokens", _names("x-ratelimit-{}-tokens-minute")),
    ("tokens", ("x-tokenlimit-limit", "x-tokenlimit-remaining", "x-ratelimit-reset")),
    ("input_tokens", _names("x-ratelimit-{}-tokens-prompt")),
    ("output_tokens", _names("x-ratelimit-{}-tokens-generated")),
    ("requests", _names("anthropic-ratelimit-requests-{}")),
    ("tokens", _names("anthropic-ratelimit-tokens-{}")),
    ("input_tokens", _names("anthropic-ratelimit-input-tokens-{}")),
    ("output_tokens", _names("anthropic-ratelimit-output-tokens-{}")),
)
_OF_A_MINUTE = ("-minute", "-prompt", "-generated")


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """What is left of one limit: `remaining` of `limit`, all of it again in `reset_s`."""

    kind: str
    """`requests`, `tokens`, `input_tokens` or `output_tokens`."""
    limit: float
    remaining: float
    reset_s: float


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """How long the server asks to wait, the finest of its words; None if it does not say."""
    fine = _number(headers.get("retry-after-ms"))
    if fine is not None:
        return max(fine / 1000, 0.0)
    text = headers.get("retry-after")
    return None if text is None else until_s(text, now_s)


def rooms(headers: Mapping[str, str], now_s: float) -> list[RateLimitStatus]:
    """The limits that the headers tell in full, one of a kind."""
    found: dict[str, RateLimitStatus] = {}
    for kind, names in _FAMILIES:
        if names[1] in headers and kind not in found:
            room = _room(kind, names, headers, now_s)
            if room is not None:
                found[kind] = room
    return list(found.values())


def until_s(text: str, now_s: float) -> float | None:
    """Seconds from now: of a number, a duration such as `6m0s`, or a date; never negative."""
    text = text.strip()
    number = _number(text)
    if number is not None:
        return max(_from_number(number, now_s), 0.0)
    if _DURATION.fullmatch(text):
        return sum(float(size) * _UNITS_S[unit] for size, unit in _PART.findall(text))
    date_s = _date_s(text)
    return None if date_s is None else max(date_s - now_s, 0.0)


def _room(
    kind: str, names: _Names, headers: Mapping[str, str], now_s: float
) -> RateLimitStatus | None:
    remaining = _number(headers.get(names[1]))
    if remaining is None:
        return None
    limit, reset = _number(headers.get(names[0])), headers.get(names[2])
    reset_s = _usual_reset_s(names[0]) if reset is None else until_s(reset, now_s)
    if not limit or limit < 0 or reset_s is None:
        return None
    return RateLimitStatus(kind, limit, min(max(remaining, 0.0), limit), reset_s)


def _usual_reset_s(name: str) -> float | None:
    return _MINUTE_S if name.endswith(_OF_A_MINUTE) else None


def _from_number(number: float, now_s: float) -> float:
    if number >= _EPOCH_MS_FROM:
        return number / 1000 - now_s
    return number - now_s if number >= _EPOCH_FROM_S else number


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
        except (ValueError, TypeError, IndexError):
            continue
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    return None
