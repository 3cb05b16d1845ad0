"""Servers of several shapes, in simulated time: shares of what they bear, and refusals."""

from __future__ import annotations

import random

import pytest

from oumi.runner.limits.config import Limits
from tests.runner.simulation import (
    Bucket,
    Noisy,
    Outcome,
    Places,
    Server,
    Slowing,
    Window,
    simulate,
)

SEEDS = range(3)


def share(outcome: Outcome, rate: float) -> float:
    """Of what the server bears, after the first 10 s and while there were rows to start."""
    return outcome.rate(10, max(outcome.starts_s) - 1) / rate


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("wait_s", [None, 0.1, 1.0])
def test_a_rate_is_found(seed: int, wait_s: float | None):
    outcome = simulate(Bucket(random=random.Random(seed), wait_s=wait_s), Limits(64))
    assert share(outcome, 50) > 0.9
    assert outcome.refused_share < 0.01
    assert outcome.lost == 0


@pytest.mark.parametrize(
    ("server", "rate", "rows", "at_least"),
    [
        (Bucket(jitter_s=0.1), 50, 3010, 0.9),
        (Bucket(latency_s=1.0), 50, 3010, 0.9),
        (Bucket(latency_s=0.02), 50, 3010, 0.8),
        (Bucket(rate=500, burst=100), 500, 10_000, 0.9),
        (Bucket(rate=10, burst=1.001), 10, 1500, 0.6),
        (Places(), 40, 3010, 0.85),
        (Slowing(), 100, 3010, 0.95),
    ],
    ids=["jitter", "slow", "fast", "large", "no burst", "places", "slowing"],
)
def test_servers_of_other_shapes(server: Server, rate: float, rows: int, at_least: float):
    outcome = simulate(server, Limits(500), rows)
    assert share(outcome, rate) > at_least
    assert outcome.refused_share < 0.02
    assert outcome.lost == 0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("jitter_s", [0.0, 0.05, 0.1])
def test_a_told_rate_is_used_and_never_refused(seed: int, jitter_s: float):
    source = random.Random(seed)
    server = Bucket(random=source, jitter_s=jitter_s)
    outcome = simulate(server, Limits(64, 3000), lateness=lambda: source.expovariate(1 / 0.003))
    assert share(outcome, 50) > 0.97
    assert not server.refused_s


@pytest.mark.parametrize(
    ("server", "rate"),
    [
        (Bucket(tells=True, burst=50), 50),
        (Bucket(tells=True, burst=300), 50),
        (Window(), 10),
        (Window(limit=500, length_s=60), 500 / 60),
    ],
    ids=["bucket of a second", "bucket of six seconds", "window of 10 s", "window of a minute"],
)
def test_headers_keep_us_below_the_limit(server: Server, rate: float):
    outcome = simulate(server, Limits(500), 1500)
    assert share(outcome, rate) > 0.95
    assert not server.refused_s


def test_doubling_reaches_two_thousand_in_half_a_second():
    server = Server(latency_s=0.05, jitter_s=0.001)
    outcome = simulate(server, Limits(2000), 20_000)
    assert server.most_in_flight == 2000
    assert outcome.ended_s < 1.0


def test_a_server_that_slows_down_is_not_flooded():
    server = Slowing()
    simulate(server, Limits(2000), 6000)
    assert server.most_in_flight < 500


def test_refusals_that_are_not_our_doing_do_not_stop_us():
    server = Noisy()
    outcome = simulate(server, Limits(256), 20_000)
    assert outcome.ended_s < 100
    assert outcome.lost <= 2


def test_a_bad_minute_is_over_within_seconds():
    class Outage(Server):
        def admits(self, now_s: float) -> bool:
            return not 10 < now_s < 20

    server = Outage()
    outcome = simulate(server, Limits(64), 12_000)
    assert outcome.rate(9, 10) > 250
    assert sum(10 < t < 20 for t in server.refused_s) < 200
    assert outcome.rate(40, 45) > 200
