"""The budget by itself: any order of requests, answers and failures stays within it."""

from __future__ import annotations

import asyncio
import random

import pytest

from oumi.core.configs import InferenceConfig
from oumi.core.types import Usage
from oumi.errors import BudgetError, RequestError, UnavailableError
from oumi.runner.cost import Price
from oumi.runner.limits.budget import Budget, Spent
from oumi.runner.limits.reservation import Tokens

PRICE = Price("m", input=2e-6, cached=1e-6, output=8e-6)


def priced(prompt: int, completion: int) -> Tokens:
    return Tokens(prompt, completion).at_price(PRICE)


def make_budget(records: list[Tokens], spent: Spent | None = None, **limits: float) -> Budget:
    return Budget(InferenceConfig(**limits), spent or Spent(), records.append)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_passes_it_in_any_order(seed: int):
    chance, paid, records = random.Random(seed), [0, 0.0], []
    budget = make_budget(records, max_total_tokens=20_000, max_cost_usd=0.08)

    def pay(usage: Usage) -> Usage:
        paid[0] += usage.total_tokens
        paid[1] += PRICE.cost(usage) or 0.0
        return usage

    async def ask_on() -> None:
        while True:
            prompt, answer = chance.randrange(1, 300), chance.randrange(1, 300)
            with await budget.reserve(Tokens(prompt, 300), PRICE) as reservation:
                await asyncio.sleep(0)
                reservation.sent()
                await asyncio.sleep(0)
                kind = chance.random()
                if kind < 0.2:  # the server answers, and nothing arrives
                    pay(Usage(prompt, answer))
                elif kind < 0.9:
                    reservation.spend(pay(Usage(prompt, answer, cached_tokens=prompt // 2)))
                else:
                    reservation.release()

    async def run() -> None:
        with pytest.raises(BudgetError):
            await asyncio.gather(*(ask_on() for _ in range(16)))

    asyncio.run(run())
    assert paid[0] <= 20_000
    assert paid[1] <= 0.08
    assert paid[0] > 10_000 or paid[1] > 0.04
    most = Tokens(*map(max, zip(*records, strict=True)))
    assert records[-1] == most, "each record says more than the one before it"


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (UnavailableError("too many requests", status=429), False),
        (UnavailableError("broke down", status=500), False),
        (RequestError("no such field"), False),
        (UnavailableError("cut off"), True),
        (UnavailableError("an empty reply", status=200), True),
        (asyncio.CancelledError(), True),
    ],
)
def test_a_failure_counts_where_it_may_have_been_paid(error: BaseException, counts: bool):
    async def fail(budget: Budget) -> None:
        with await budget.reserve(Tokens(40, 40), PRICE) as reservation:
            reservation.sent()
            raise error

    async def run() -> None:
        budget = make_budget([], max_total_tokens=100)
        with pytest.raises(type(error)):
            await fail(budget)
        if counts:
            with pytest.raises(BudgetError, match="80 tokens are spent"):
                await budget.reserve(Tokens(40, 40), PRICE)
        else:
            await budget.reserve(Tokens(40, 40), PRICE)

    asyncio.run(run())


def test_prompts_that_were_thought_too_small_grow():
    async def run() -> None:
        budget = make_budget([], max_total_tokens=1_000)
        (await budget.reserve(Tokens(100, 10), PRICE)).spend(Usage(400, 10))
        with pytest.raises(BudgetError, match="the next request may take 610"):
            await budget.reserve(Tokens(150, 10), PRICE)
        assert (await budget.reserve(Tokens(100, 10), PRICE)).tokens == priced(400, 10)

    asyncio.run(run())


def test_what_was_in_flight_at_a_kill_counts_in_the_next_call():
    async def run() -> None:
        records: list[Tokens] = []
        budget = make_budget(records, max_total_tokens=1_000)
        for _ in range(2):
            (await budget.reserve(Tokens(300, 100), PRICE)).sent()
        assert records == [priced(300, 100), priced(600, 200)]

        again = make_budget(records, Spent(unrecorded=records[-1]), max_total_tokens=1_000)
        with pytest.raises(BudgetError, match="800 tokens are spent"):
            await again.reserve(Tokens(201, 0), PRICE)
        reservation = await again.reserve(Tokens(200, 0), PRICE)
        reservation.sent()
        assert records[-1] == priced(800, 200)
        reservation.spend(Usage(10, 0))
        again.close()
        assert records[-1] == priced(600, 200)

    asyncio.run(run())


def test_who_waits_is_let_go_when_cancelled():
    async def run() -> None:
        budget = make_budget([], max_total_tokens=100)
        first = await budget.reserve(Tokens(60, 0), PRICE)
        waiting = [asyncio.create_task(budget.reserve(Tokens(50, 0), PRICE)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        first.release()
        assert (await waiting[1]).tokens == priced(50, 0)
        assert waiting[0].cancelled()

    asyncio.run(run())


def test_requests_of_several_prices_share_one_budget():
    async def run() -> None:
        budget = make_budget([], max_cost_usd=0.001)
        dear, free = Price("dear", input=1e-5, cached=1e-5, output=1e-5), None
        (await budget.reserve(Tokens(50, 0), dear)).spend(Usage(40, 10))
        (await budget.reserve(Tokens(10_000, 0), free)).spend(Usage(10_000, 0))
        (await budget.reserve(Tokens(200, 0), PRICE)).spend(Usage(200, 0))
        assert budget.spent.usd == pytest.approx(0.0005 + 0.0004)
        with pytest.raises(BudgetError, match=r"\$0.0009 is spent, .* may cost \$0.0002"):
            await budget.reserve(Tokens(20, 0), dear)

    asyncio.run(run())
