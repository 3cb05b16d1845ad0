"""Servers of several kinds, in simulated time: how much of what they bear is used, and how much
is refused."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import replace

import pytest

from oumi.runner.limits.config import Limits
from oumi.runner.limits.retry import RetryPolicy
from tests.runner.simulation import (
    ConcurrencyLimit,
    FixedWindow,
    Outcome,
    Queueing,
    RandomErrors,
    Server,
    SlidingSecond,
    TokenBucket,
    WholeSeconds,
    WholeSecondsToWindow,
    simulate,
)

SEEDS = range(3)
PATIENT = RetryPolicy(max_retries=100)


def share(outcome: Outcome, rate: float) -> float:
    """The used share of what the server bears, after the first 10 s and while rows were left."""
    return outcome.rate(10, max(outcome.starts_s) - 1) / rate


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("wait_s", [None, 0.1, 1.0])
def test_a_rate_is_found(seed: int, wait_s: float | None):
    outcome = simulate(TokenBucket(random=random.Random(seed), wait_s=wait_s), Limits(64))
    assert share(outcome, 50) > 0.9
    assert outcome.refused_share < 0.01
    assert outcome.failed_rows == 0


@pytest.mark.parametrize(
    ("server", "rate", "rows", "at_least"),
    [
        (TokenBucket(jitter_s=0.1), 50, 3010, 0.9),
        (TokenBucket(latency_s=1.0), 50, 3010, 0.9),
        (TokenBucket(latency_s=0.02), 50, 3010, 0.8),
        (TokenBucket(rate=500, burst=100), 500, 10_000, 0.9),
        (TokenBucket(rate=10, burst=1.001), 10, 1500, 0.6),
        (ConcurrencyLimit(), 40, 3010, 0.85),
        (Queueing(), 100, 3010, 0.95),
    ],
    ids=["jitter", "slow", "fast", "large", "no burst", "concurrency", "queueing"],
)
def test_servers_of_other_kinds(server: Server, rate: float, rows: int, at_least: float):
    outcome = simulate(server, Limits(500), rows)
    assert share(outcome, rate) > at_least
    assert outcome.refused_share < 0.02
    assert outcome.failed_rows == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("jitter_s", [0.0, 0.05, 0.1])
def test_a_rate_from_the_settings_is_used_and_never_refused(seed: int, jitter_s: float):
    source = random.Random(seed)
    server = TokenBucket(random=source, jitter_s=jitter_s)
    outcome = simulate(server, Limits(64, 3000), lateness=lambda: source.expovariate(1 / 0.003))
    assert share(outcome, 50) > 0.97
    assert not server.refused_s


@pytest.mark.parametrize(
    ("server", "rate"),
    [
        (TokenBucket(sends_headers=True, burst=50), 50),
        (TokenBucket(sends_headers=True, burst=300), 50),
        (FixedWindow(), 10),
        (FixedWindow(limit=500, length_s=60), 500 / 60),
    ],
    ids=["bucket of a second", "bucket of six seconds", "window of 10 s", "window of a minute"],
)
def test_headers_keep_us_below_the_limit(server: Server, rate: float):
    outcome = simulate(server, Limits(500), 1500)
    assert share(outcome, rate) > 0.95
    assert not server.refused_s


def test_slow_start_reaches_two_thousand_in_half_a_second():
    server = Server(latency_s=0.05, jitter_s=0.001)
    outcome = simulate(server, Limits(2000), 20_000)
    assert server.peak_in_flight == 2000
    assert outcome.ended_s < 1.0


def test_a_server_with_a_queue_is_not_flooded():
    server = Queueing()
    simulate(server, Limits(2000), 6000)
    assert server.peak_in_flight < 500


def test_random_refusals_do_not_stop_us():
    server = RandomErrors()
    outcome = simulate(server, Limits(256), 20_000, PATIENT)
    assert outcome.ended_s < 100
    assert outcome.failed_rows == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("latency_s", [0.05, 0.3])
def test_a_server_that_refuses_some_at_random_is_used_fully(seed: int, latency_s: float):
    server = Queueing(latency_s, rate=60, share=0.03, random=random.Random(seed))
    outcome = simulate(server, Limits(32), 3000, PATIENT)
    assert share(outcome, 60) > 0.85
    assert outcome.refused_share < 0.05


@pytest.mark.parametrize("seed", SEEDS)
def test_a_limit_is_found_though_some_are_refused_at_random(seed: int):
    class Both(TokenBucket):
        def admits(self, now_s: float) -> bool:
            return super().admits(now_s) and self.random.random() >= 0.03

    outcome = simulate(Both(rate=60, random=random.Random(seed)), Limits(32), 4000, PATIENT)
    assert share(outcome, 60) > 0.75
    assert outcome.refused_share < 0.15


EMPTY = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "1s",
    "x-ratelimit-limit-tokens": "150000",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "6m0s",
}
"""A server for tests that is in use sends these with each 429, and no headers with its answers."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("wait_s", [None, 1])
def test_random_refusals_that_ask_to_wait_cost_little(seed: int, wait_s: float | None):
    source = random.Random(seed)
    server = RandomErrors(0.12, wait_s=wait_s, refusal_headers=EMPTY, share=0.03, random=source)
    outcome = simulate(server, Limits(32), 3000, PATIENT)
    assert 3000 / outcome.ended_s > 32 / 0.12 / 2
    assert outcome.failed_rows == 0


def test_after_random_refusals_a_real_pause_is_still_kept():
    class Closing(RandomErrors):
        def admits(self, now_s: float) -> bool:
            self.wait_s = 30 if now_s > 60 else None
            return now_s < 60 and super().admits(now_s)

    server = Closing(0.2, share=0.03)
    outcome = simulate(server, Limits(32), 12_000, RetryPolicy(max_retries=1))
    assert outcome.rate(50, 60) > 0.8 * 32 / 0.2
    assert not [start for start in outcome.starts_s if 61.0 < start < 90.0]


@pytest.mark.parametrize("workers", [1, 32])
@pytest.mark.parametrize(
    ("limit", "remaining", "reset", "kind"),
    [
        (60, 0, "6m0s", "requests"),
        (60, 0, "1s", "requests"),
        (60, 1, "6m0s", "requests"),
        (150_000, 0, "6m0s", "tokens"),
    ],
)
def test_reports_that_answers_prove_wrong_are_dropped(
    workers: int, limit: int, remaining: int, reset: str, kind: str
):
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    headers = {f"x-ratelimit-{name}-{kind}": str(value) for name, value in values.items()}
    outcome = simulate(Server(0.1, fixed_headers=headers), Limits(workers), 100 * workers)
    assert outcome.ended_s < 10 + 4


def test_reports_that_refusals_prove_right_are_followed():
    """Half of the limit is used by others."""
    server = FixedWindow(limit=500, length_s=30, used=250, number=0)
    outcome = simulate(server, Limits(500), 1700, PATIENT)
    assert share(outcome, 500 / 30) > 0.85
    assert outcome.refused_share < 0.02


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("refusal_s", [0.005, 0.2])
@pytest.mark.parametrize(
    ("server", "rate", "at_least"),
    [
        (WholeSeconds(rate=50), 50, 0.94),
        (WholeSeconds(rate=20, burst=20), 20, 0.94),
        (WholeSeconds(rate=200, burst=20, latency_s=0.05), 200, 0.94),
        (WholeSecondsToWindow(limit=20, length_s=1), 20, 0.92),
        (WholeSecondsToWindow(limit=100, length_s=1), 100, 0.94),
        (WholeSecondsToWindow(limit=1200, length_s=60), 20, 0.99),
        (SlidingSecond(0.3, wait_s=1, limit=20), 20, 0.94),
        (SlidingSecond(0.3, wait_s=1, limit=100), 100, 0.94),
    ],
    ids=[
        *("bucket", "bucket of a second", "fast bucket", "window", "large window"),
        *("window of a minute", "sliding second", "large sliding second"),
    ],
)
def test_a_limit_that_only_retry_after_tells_of(
    seed: int, refusal_s: float, server: Server, rate: float, at_least: float
):
    """Refusals come at once, or as late as answers. The second minute is looked at."""
    server = replace(deepcopy(server), random=random.Random(seed), refusal_s=refusal_s)
    outcome = simulate(server, Limits(64), 125 * int(rate), PATIENT)
    assert outcome.rate(60, 120) / rate > at_least
    assert outcome.refused_share < 0.05
    assert outcome.failed_rows == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_found_by_retry_after_takes_few_refusals(seed: int):
    """1,500 requests, of which the first ones find the limit out."""
    server = WholeSeconds(rate=50, random=random.Random(seed), refusal_s=0.2)
    outcome = simulate(server, Limits(64), 1500, PATIENT)
    assert share(outcome, 50) > 0.93
    assert outcome.refused_share < 0.02


def test_after_an_outage_the_rate_is_back_within_seconds():
    class Outage(Server):
        def admits(self, now_s: float) -> bool:
            return not 10 < now_s < 20

    server = Outage()
    outcome = simulate(server, Limits(64), 12_000)
    assert outcome.rate(9, 10) > 250
    assert sum(10 < t < 20 for t in server.refused_s) < 400
    assert outcome.rate(40, 45) > 200
