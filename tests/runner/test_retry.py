from __future__ import annotations

import asyncio
import random

import pytest

from oumi.core.configs import RemoteParams
from oumi.errors import AccessError, UnavailableError
from oumi.runner.limits.retry import Retry, RetryPolicy, retrying


def low() -> float:
    return 0.0


def high() -> float:
    return 1.0


class Script:
    """Attempts that fail with the given errors, then succeed; waits are only noted."""

    def __init__(self, *errors: Exception):
        self.errors = list(errors)
        self.attempts = 0
        self.waits_s: list[float] = []
        self.retries: list[Retry] = []

    async def attempt(self) -> str:
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    async def sleep(self, seconds: float) -> None:
        self.waits_s.append(seconds)

    def run(self, policy: RetryPolicy) -> str:
        work = retrying(self.attempt, policy, self.retries.append, sleep=self.sleep, random=high)
        return asyncio.run(work)


def test_waits_double_up_to_the_longest():
    policy = RetryPolicy(max_retries=5, backoff_base_s=1.0, backoff_max_s=6.0)
    script = Script(*(UnavailableError("busy") for _ in range(5)))
    assert script.run(policy) == "answer"
    assert script.waits_s == [1.0, 2.0, 4.0, 6.0, 6.0]
    assert [retry.attempt for retry in script.retries] == [1, 2, 3, 4, 5]
    assert [retry.wait_s for retry in script.retries] == script.waits_s


def test_the_last_error_is_raised_when_the_retries_are_used_up():
    errors = [UnavailableError(str(number)) for number in range(3)]
    script = Script(*errors)
    with pytest.raises(UnavailableError, match="2"):
        script.run(RetryPolicy(max_retries=2))
    assert script.attempts == 3
    assert len(script.retries) == 2


def test_what_cannot_succeed_is_not_repeated():
    for error in (AccessError("key"), ValueError("bug")):
        script = Script(error)
        with pytest.raises(type(error)):
            script.run(RetryPolicy())
        assert script.attempts == 1


def test_the_wait_that_the_server_asks_for_wins_over_the_backoff():
    policy = RetryPolicy(backoff_base_s=8.0)
    error = UnavailableError("busy", wait_s=2.0)
    assert policy.next_wait_s(1, error, low) == 2.0
    assert policy.next_wait_s(1, UnavailableError("busy", wait_s=100.0), low) == 100.0
    assert policy.next_wait_s(1, UnavailableError("busy", wait_s=0.0), high) == 8.0


def test_a_wait_that_is_longer_than_it_may_be_is_not_made():
    policy = RetryPolicy(max_wait_s=60)
    assert policy.next_wait_s(1, UnavailableError("busy", wait_s=60.0), low) == 60.0
    assert policy.next_wait_s(1, UnavailableError("busy", wait_s=60.1), low) is None


def test_every_wait_is_within_its_bounds():
    source = random.Random(1)
    for _ in range(2000):
        policy = RetryPolicy(
            max_retries=2000,
            backoff_base_s=source.uniform(0, 5),
            backoff_max_s=source.uniform(0, 50),
            politeness_s=source.choice([0.0, source.uniform(0, 20)]),
        )
        asked_s = source.choice([None, source.uniform(0.001, 90)])
        attempt = source.randint(1, 2000)
        wait_s = policy.next_wait_s(
            attempt, UnavailableError("busy", wait_s=asked_s), source.random
        )
        assert wait_s is not None
        assert wait_s >= policy.politeness_s
        if asked_s is None:
            whole_s = min(policy.backoff_base_s * 2.0 ** min(attempt - 1, 60), policy.backoff_max_s)
            assert max(whole_s / 2, policy.politeness_s) <= wait_s
            assert wait_s <= max(whole_s, policy.politeness_s)
        else:
            assert asked_s <= wait_s <= max(asked_s * 1.1, policy.politeness_s)


def test_a_loop_of_ones_own_asks_the_policy():
    policy = RetryPolicy(max_retries=2)
    busy = UnavailableError("busy")
    assert policy.next_wait_s(2, busy, high) == 2.0
    assert policy.next_wait_s(3, busy, high) is None, "two retries are used up"
    assert policy.next_wait_s(1, AccessError("key"), high) is None, "it cannot succeed"


def test_policy_from_the_settings():
    params = RemoteParams(
        max_retries=7,
        retry_backoff_base=2,
        retry_backoff_max=9,
        politeness_policy=3,
        max_outage_s=11,
        max_wait_s=13,
    )
    assert RetryPolicy.from_params(params) == RetryPolicy(7, 2.0, 9.0, 3.0, 11.0, 13.0)
