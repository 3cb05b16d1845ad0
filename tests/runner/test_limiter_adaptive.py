"""Servers of several kinds, in simulated time: how much of what they bear is used, and how much
is refused."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from oumi.runner.limits.config import Limits
from oumi.runner.limits.tuning import TUNING
from tests.runner.simulation import (
    ConcurrencyLimit,
    FixedWindow,
    Outcome,
    Queueing,
    RandomErrors,
    Server,
    TokenBucket,
    simulate,
)

SEEDS = range(3)


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
    outcome = simulate(server, Limits(256), 20_000)
    assert outcome.ended_s < 100
    assert outcome.failed_rows <= 2


def test_after_an_outage_the_rate_is_back_within_seconds():
    class Outage(Server):
        def admits(self, now_s: float) -> bool:
            return not 10 < now_s < 20

    server = Outage()
    outcome = simulate(server, Limits(64), 12_000)
    assert outcome.rate(9, 10) > 250
    assert sum(10 < t < 20 for t in server.refused_s) < 200
    assert outcome.rate(40, 45) > 200


def test_without_pacing_bursts_are_refused():
    limits, unpaced = Limits(64), replace(TUNING, pacing_gain_ratio=1e9)
    assert simulate(TokenBucket(), limits).refused_share < 0.01
    assert simulate(TokenBucket(), limits, tuning=unpaced).refused_share > 0.02
