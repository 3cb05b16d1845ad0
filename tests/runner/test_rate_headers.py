from __future__ import annotations

import pytest

from oumi.backends.remote.http.rate_limit_headers import (
    RateLimitObserver,
    rate_limit_statuses,
    retry_after_s,
    until_s,
)
from oumi.runner.limits.config import Limits
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.status import RateLimitStatus

NOW_S = 1_792_567_650.0  # Wed, 21 Oct 2026 07:27:30 GMT


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 -0000"}, 30.0),
        ({"retry-after": "Tue, 20 Oct 2026 07:28:00 GMT"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "2"}, 2.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1" + "0" * 400 + "s"}, None),
        ({"retry-after": f"Fri, 15 Dec 2027 {'2' * 25}:59"}, None),
        ({"retry-after": f"Fri, 31 Dec {'9' * 25} 23:59:59 GMT"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
    ],
)
def test_retry_after(headers: dict[str, str], wait_s: float | None):
    assert retry_after_s(headers, NOW_S) == wait_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("1s", 1.0),
        ("12ms", 0.012),
        ("2m59.56s", 179.56),
        ("1h2m3s", 3723.0),
        ("1d", 86400.0),
        ("7.66s", 7.66),
        ("60", 60.0),
        (str(NOW_S + 5), 5.0),
        (str(int((NOW_S + 5) * 1000)), 5.0),
        ("2026-10-21T07:28:00Z", 30.0),
        ("2026-10-21T09:28:00+02:00", 30.0),
        ("2026-10-21T07:00:00Z", 0.0),
        ("6m later", None),
    ],
)
def test_times_in_every_format(text: str, seconds: float | None):
    found = until_s(text, NOW_S)
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(
            {
                "x-ratelimit-limit-req-minute": "300",
                "x-ratelimit-remaining-req-minute": "299",
                "x-ratelimit-limit-tokens-minute": "500000",
                "x-ratelimit-remaining-tokens-minute": "499000",
            },
            [
                RateLimitStatus("requests", 300, 299, 60.0),
                RateLimitStatus("tokens", 500000, 499000, 60.0),
            ],
            id="mistral",
        ),
        pytest.param(
            {
                "x-ratelimit-limit-requests-day": "14400",
                "x-ratelimit-remaining-requests-day": "14399",
                "x-ratelimit-reset-requests-day": "33011.38",
                "x-ratelimit-limit-tokens-minute": "60000",
                "x-ratelimit-remaining-tokens-minute": "59000",
                "x-ratelimit-reset-tokens-minute": "11.38",
            },
            [RateLimitStatus("tokens", 60000, 59000, 11.38)],
            id="cerebras",
        ),
        pytest.param(
            {
                "x-ratelimit-limit": "10",
                "x-ratelimit-remaining": "9",
                "x-ratelimit-reset": "1",
                "x-tokenlimit-limit": "3000",
                "x-tokenlimit-remaining": "2900",
            },
            [RateLimitStatus("requests", 10, 9, 1.0), RateLimitStatus("tokens", 3000, 2900, 1.0)],
            id="together",
        ),
        pytest.param(
            {
                "x-ratelimit-limit-tokens-prompt": "60000",
                "x-ratelimit-remaining-tokens-prompt": "59990",
                "x-ratelimit-limit-tokens-generated": "12000",
                "x-ratelimit-remaining-tokens-generated": "11000",
            },
            [
                RateLimitStatus("input_tokens", 60000, 59990, 60.0),
                RateLimitStatus("output_tokens", 12000, 11000, 60.0),
            ],
            id="fireworks",
        ),
    ],
)
def test_headers_of_other_providers(headers: dict[str, str], expected: list[RateLimitStatus]):
    assert rate_limit_statuses(headers, NOW_S) == expected


def test_openai():
    headers = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "150000",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-tokens": "6m0s",
    }
    assert rate_limit_statuses(headers, NOW_S) == [
        RateLimitStatus("requests", 60, 59, 1.0),
        RateLimitStatus("tokens", 150000, 149984, 360.0),
    ]


def test_anthropic():
    headers = {}
    for name in ("requests", "input-tokens", "output-tokens"):
        headers[f"anthropic-ratelimit-{name}-limit"] = "50"
        headers[f"anthropic-ratelimit-{name}-remaining"] = "49"
        headers[f"anthropic-ratelimit-{name}-reset"] = "2026-10-21T07:28:00Z"
    assert rate_limit_statuses(headers, NOW_S) == [
        RateLimitStatus(kind, 50, 49, 30.0)
        for kind in ("requests", "input_tokens", "output_tokens")
    ]


def test_what_is_strange_or_incomplete_is_ignored():
    whole = {"x-ratelimit-limit": "5", "x-ratelimit-remaining": "9", "x-ratelimit-reset": "1"}
    assert rate_limit_statuses(whole, NOW_S) == [RateLimitStatus("requests", 5, 5, 1.0)]
    for name in whole:
        assert rate_limit_statuses({key: whole[key] for key in whole if key != name}, NOW_S) == []
        assert rate_limit_statuses(whole | {name: "many"}, NOW_S) == []
    assert rate_limit_statuses(whole | {"x-ratelimit-limit": "0"}, NOW_S) == []


def test_a_retry_after_always_pauses_and_the_rest_is_read_every_20_ms():
    now_s = 0.0
    limiter = Limiter(Limits(9), clock=lambda: now_s)
    observer = RateLimitObserver(limiter, lambda: now_s, lambda: NOW_S)
    headers = {"x-ratelimit-limit": "60", "x-ratelimit-reset": "60"}
    observer.observe(headers | {"x-ratelimit-remaining": "60"})
    assert limiter.status.rate_per_s == pytest.approx(1.0)
    now_s = 0.019
    observer.observe(headers | {"x-ratelimit-remaining": "30", "retry-after": "1"})
    assert limiter.status.rate_per_s == pytest.approx(1.0), "too early to read it again"
    assert limiter.try_acquire(1, 1) is None, "but the pause counts"
    now_s = 0.021
    observer.observe(headers | {"x-ratelimit-remaining": "30"})
    assert limiter.status.rate_per_s == pytest.approx(0.5)
    now_s = 1.02
    assert limiter.try_acquire(1, 1) is not None
