"""The promises at the top of limiter.py, on random schedules in simulated time."""

from __future__ import annotations

import asyncio
import bisect
import random
from itertools import accumulate

import pytest

from oumi.core.configs import RemoteParams
from oumi.errors import AccessError, RequestError, UnavailableError
from oumi.runner.limits.config import Limits
from oumi.runner.limits.gates import OUTPUT, REQUESTS
from oumi.runner.limits.limiter import Limiter
from tests.runner import virtual_time

SEEDS = range(12)
WINDOW_S = 60.0


def make(limits: Limits) -> Limiter:
    loop = asyncio.get_running_loop()
    return Limiter(limits, clock=loop.time)


def max_in_window(times_s: list[float], weights: list[float], window_s: float) -> float:
    """The largest sum of weights in any closed window."""
    sums = [0.0, *accumulate(weights)]
    firsts = (bisect.bisect_left(times_s, t - window_s) for t in times_s)
    return max(sums[i + 1] - sums[first] for i, first in enumerate(firsts))


async def schedule(limits: Limits, source: random.Random, count: int) -> list[tuple[float, int]]:
    """Starts (when, output tokens): rows that come in crowds and pauses, of any length, with any
    end, some cancelled while they wait."""
    limiter, loop = make(limits), asyncio.get_running_loop()
    starts: list[tuple[float, int]] = []

    async def row(tokens: int) -> None:
        permit = await limiter.acquire(1, tokens)
        starts.append((loop.time(), tokens))
        assert limiter.status.in_flight <= limits.in_flight
        with permit:
            await asyncio.sleep(source.expovariate(1))
            if source.random() < 0.5:
                permit.done(1, tokens, 1.0)

    rows = []
    for _ in range(count):
        rows.append(asyncio.ensure_future(row(source.randint(0, 90))))
        if source.random() < 0.02:
            await asyncio.sleep(source.expovariate(1 / 10))
        if source.random() < 0.05:
            source.choice(rows).cancel()
    await asyncio.gather(*rows, return_exceptions=True)
    assert limiter.status.in_flight == limiter.status.waiting == 0
    return starts


@pytest.mark.parametrize("seed", SEEDS)
def test_no_minute_sees_more_starts_or_tokens_than_allowed(seed: int):
    source = random.Random(seed)
    limits = Limits(
        in_flight=source.choice([3, 50]),
        requests_per_minute=source.choice([1, 7, 100, 3000]) if seed % 3 else None,
        output_tokens_per_minute=source.choice([90, 500, 20_000]) if seed % 2 else None,
        adaptive=False,
    )
    work = schedule(limits, source, 60 if limits.requests_per_minute == 1 else 400)
    starts = virtual_time.run(work, lambda: source.expovariate(1 / 0.003))
    times_s, tokens = [t for t, _ in starts], [float(n) for _, n in starts]
    if limits.requests_per_minute is not None:
        in_a_minute = max_in_window(times_s, [1.0] * len(starts), WINDOW_S)
        assert in_a_minute <= limits.requests_per_minute
        in_a_second = max_in_window(times_s, [1.0] * len(starts), 0.0)
        assert in_a_second <= max(1, limits.requests_per_minute / 60)
    if limits.output_tokens_per_minute is not None:
        assert max_in_window(times_s, tokens, WINDOW_S) <= limits.output_tokens_per_minute


@pytest.mark.parametrize("seed", SEEDS)
def test_without_spreading_a_minutes_worth_starts_at_once_and_no_minute_sees_more(seed: int):
    source = random.Random(seed)
    count, tokens = source.randint(1, 50), source.choice([90, 2_000])
    limits = Limits(100, count, output_tokens_per_minute=tokens, spread=False, adaptive=False)
    starts = virtual_time.run(schedule(limits, source, 200))
    times_s, weights = [t for t, _ in starts], [float(n) for _, n in starts]
    assert max_in_window(times_s, [1.0] * len(starts), WINDOW_S) <= count
    assert max_in_window(times_s, weights, WINDOW_S) <= tokens


def test_who_is_held_back_is_told_by_what_and_for_how_long():
    async def main() -> None:
        limits = Limits(3, 2, output_tokens_per_minute=100, spread=False, adaptive=False)
        limiter = make(limits)
        permits = [limiter.try_acquire(1, 40) for _ in range(2)]
        assert None not in permits, "both at once"
        assert limiter.held_back_by(1, 1) == (REQUESTS, pytest.approx(60))
        await asyncio.sleep(20)
        assert limiter.try_acquire(1, 1) is None
        assert limiter.held_back_by(1, 1) == (REQUESTS, pytest.approx(40))
        await asyncio.sleep(40.01)
        permits += [limiter.try_acquire(1, 90)]
        assert limiter.held_back_by(1, 90) == (None, 0.0)
        permits[0].done(1, 40, 1.0)
        assert limiter.held_back_by(1, 90) == (OUTPUT, pytest.approx(60))
        await asyncio.sleep(61)
        assert limiter.try_acquire(1, 90) is not None

    virtual_time.run(main())


@pytest.mark.parametrize("seed", SEEDS)
def test_politeness(seed: int):
    source = random.Random(seed)
    count, window_s = source.randint(1, 9), source.uniform(0.1, 20)
    limits = Limits(in_flight=count, politeness_s=window_s, adaptive=bool(seed % 2))
    starts = virtual_time.run(schedule(limits, source, 100))
    times_s = [t for t, _ in starts]
    assert max_in_window(times_s, [1.0] * len(starts), window_s) <= count


@pytest.mark.parametrize("per_minute", [30, 3000, 60_000])
def test_at_least_97_percent_of_the_rate_is_used(per_minute: int):
    source = random.Random(1)

    async def main() -> float:
        limiter, loop = make(Limits(500, per_minute)), asyncio.get_running_loop()
        for _ in range(per_minute + 1):
            (await limiter.acquire(1, 1)).done(1, 1, 0.1)
        return loop.time()

    assert virtual_time.run(main(), lambda: source.expovariate(1 / 0.002)) < WINDOW_S / 0.97


def test_tokens_are_corrected_by_the_reply():
    async def main() -> list[float]:
        limiter, loop = make(Limits(9, output_tokens_per_minute=600)), asyncio.get_running_loop()
        times_s = []
        for used in (10, 10, 600, 10):
            permit = await limiter.acquire(1, 300)
            times_s.append(loop.time())
            permit.done(1, used, 1.0)
        return times_s

    first, second, third, fourth = virtual_time.run(main())
    assert first == 0.0
    assert second < third < 5.0, "what was not used is free again"
    assert fourth > third + WINDOW_S, "what was used beyond the estimate delays the next one"


def test_a_request_that_no_minute_can_hold_is_an_error_at_once():
    async def main() -> None:
        limiter = make(Limits(9, input_tokens_per_minute=100))
        with pytest.raises(RequestError, match="input_tokens_per_minute = 100"):
            await limiter.acquire(101, 0)
        (await limiter.acquire(100, 10**9)).done(100, 1, 1.0)

    virtual_time.run(main())


def test_first_come_first_served():
    async def main() -> list[int]:
        limiter = make(Limits(2, 6000))
        order: list[int] = []

        async def row(number: int) -> None:
            with await limiter.acquire(1, 1):
                order.append(number)
                await asyncio.sleep(random.Random(number).random())

        await asyncio.gather(*map(row, range(200)))
        return order

    assert virtual_time.run(main()) == list(range(200))


def test_a_cancelled_wait_leaves_nothing_behind():
    async def main() -> None:
        limiter = make(Limits(1))
        permit = await limiter.acquire(1, 1)
        first, second = (asyncio.ensure_future(limiter.acquire(1, 1)) for _ in range(2))
        await asyncio.sleep(0)
        permit.failed()
        first.cancel()  # let through, but cancelled before it could run
        (await second).failed()
        permit.failed()  # a second time
        assert limiter.status.in_flight == 0
        assert limiter.status.waiting == 0
        with pytest.raises(asyncio.CancelledError):
            await first

    virtual_time.run(main())


@pytest.mark.parametrize("adaptive", [True, False])
def test_nothing_starts_while_the_server_asks_to_wait(adaptive: bool):
    async def main() -> list[float]:
        limiter, loop = make(Limits(9, adaptive=adaptive)), asyncio.get_running_loop()
        times_s = []
        (await limiter.acquire(1, 1)).overloaded(7.0)
        with await limiter.acquire(1, 1) as permit:
            times_s.append(permit.started_s)
        limiter.pause(3.0)
        assert limiter.try_acquire(1, 1) is None
        with await limiter.acquire(1, 1) as permit:
            times_s.append(permit.started_s)
        assert loop.time() == limiter.status.waited_s
        return times_s

    assert virtual_time.run(main()) == pytest.approx([7.0, 10.0], abs=0.01)


@pytest.mark.parametrize(
    ("error", "overloads", "waited_s"),
    [
        (UnavailableError("busy", status=429, wait_s=7.0), 1, 7.0),
        (UnavailableError("no connection", wait_s=7.0), 0, 0.0),
        (AccessError("key", status=403), 0, 0.0),
        (asyncio.CancelledError(), 0, 0.0),
    ],
)
def test_a_permit_ends_by_the_exception_that_leaves_its_block(
    error: BaseException, overloads: int, waited_s: float
):
    async def main() -> None:
        limiter, loop = make(Limits(1)), asyncio.get_running_loop()
        with pytest.raises(type(error)), await limiter.acquire(1, 1):
            raise error
        assert limiter.status.overloads == overloads
        (await limiter.acquire(1, 1)).failed()
        assert loop.time() == pytest.approx(waited_s, abs=0.01)

    virtual_time.run(main())


def test_a_permit_that_is_done_stays_done():
    async def main() -> None:
        limiter = make(Limits(1))
        permit = await limiter.acquire(1, 1)
        permit.done(1, 1, 0.1)
        with pytest.raises(UnavailableError), permit:
            raise UnavailableError("busy", status=429, wait_s=7.0)
        status = limiter.status
        assert (status.in_flight, status.overloads) == (0, 0)
        assert limiter.try_acquire(1, 1) is not None

    virtual_time.run(main())


def test_settings_and_status():
    params = RemoteParams(
        num_workers=5,
        requests_per_minute=60,
        input_tokens_per_minute=70,
        output_tokens_per_minute=80,
        politeness_policy=2,
        use_adaptive_concurrency=False,
        max_wait_s=90,
    )
    assert Limits.from_params(params) == Limits(5, 60, 70, 80, 2.0, False, 90.0)

    async def main() -> None:
        limiter = make(Limits.from_params(params))
        await limiter.acquire(1, 1)
        status = limiter.status
        assert (status.in_flight, status.allowed, status.starts) == (1, 5, 1)
        assert status.rate_per_s == pytest.approx(1, rel=0.01)

    virtual_time.run(main())
