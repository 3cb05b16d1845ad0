"""An outage as the limiter has it, in simulated time."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import pytest

from oumi.errors import UnavailableError
from oumi.runner.limits.config import Limits
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import RetryPolicy
from oumi.runner.limits.tries import Tries
from tests.runner import virtual_time

POLICY = RetryPolicy(max_retries=1, backoff_base_s=1.0, backoff_max_s=30.0, max_outage_s=900.0)


class AwayError(UnavailableError):
    no_reply = unreachable = True


class LostError(UnavailableError):
    no_reply: ClassVar[bool] = True


class Server:
    """Answers after `latency_s`, but for a time in which it is away."""

    def __init__(self, away_s: tuple[float, float], latency_s: float):
        self.away_s = away_s
        self.latency_s = latency_s
        self.starts_s: list[float] = []

    async def answer(self) -> None:
        now_s = asyncio.get_running_loop().time
        self.starts_s.append(now_s())
        if self.away_s[0] <= now_s() < self.away_s[1]:
            raise AwayError("nobody there")
        await asyncio.sleep(self.latency_s)
        if self.away_s[0] <= now_s() < self.away_s[1]:
            raise LostError("cut off")

    async def run(self, rows: int) -> float:
        """Until when it took to have all rows answered."""
        loop = asyncio.get_running_loop()
        limiter = Limiter(Limits(rows, adaptive=False), clock=loop.time)

        async def row() -> None:
            tries = Tries(POLICY, limiter, loop.time)
            while True:
                try:
                    with await limiter.acquire(0, 0) as permit:
                        await self.answer()
                        permit.done(0, 0, self.latency_s)
                        return
                except UnavailableError as error:
                    wait_s = tries.next_wait_s(error)
                    assert wait_s is not None
                    await asyncio.sleep(wait_s)

        async with asyncio.TaskGroup() as group:
            for _ in range(rows):
                group.create_task(row())
        return loop.time()


def test_one_request_at_a_time_and_less_and_less_often():
    server = Server((5.0, 500.0), 10.0)
    took_s = virtual_time.run(server.run(2000))
    probes_s = [start for start in server.starts_s if 10 < start < 500]
    assert len(probes_s) < 40
    assert probes_s == sorted(set(probes_s)), "one after the other"
    assert took_s < 500 + 30 + 2 * 10
    assert len(server.starts_s) == 2000 + len(probes_s) + 2000


def test_a_server_that_broke_off_long_answers_was_there():
    """Nothing was answered yet, but it is no wrong address either."""
    server = Server((6.0, 400.0), 7.0)
    assert virtual_time.run(server.run(20)) > 400


def test_a_server_that_was_never_there_is_given_up_after_the_tries_of_a_row():
    server = Server((0.0, 400.0), 1.0)
    with pytest.raises(ExceptionGroup) as caught:
        virtual_time.run(server.run(20))
    assert "in 2 tries" in str(caught.value.exceptions[0])
    assert len(server.starts_s) <= 20 + 1
