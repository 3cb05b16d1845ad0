"""Servers of several kinds and a client with a limiter, in simulated time."""

from __future__ import annotations

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from oumi.backends.remote.http.rate_limit_headers import RateLimitObserver, retry_after_s
from oumi.errors import OumiError, UnavailableError
from oumi.runner.limits.config import Limits
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import RetryPolicy, retrying
from oumi.runner.limits.tuning import TUNING, Tuning
from tests.runner import virtual_time


@dataclass
class Server:
    """Answers after `latency_s`, within a tenth; requests travel up to `jitter_s` to it.

    What `admits` does not let in is refused after `refusal_s`, with `wait_s` as Retry-After and
    with `refusal_headers`; all replies have `fixed_headers`.
    """

    latency_s: float = 0.2
    jitter_s: float = 0.01
    refusal_s: float = 0.005
    wait_s: float | None = None
    refusal_headers: Mapping[str, str] = field(default_factory=dict)
    fixed_headers: Mapping[str, str] = field(default_factory=dict)
    random: random.Random = field(default_factory=lambda: random.Random(7))
    in_flight: int = 0
    answered_s: list[float] = field(default_factory=list)
    refused_s: list[float] = field(default_factory=list)
    arrived_s: list[float] = field(default_factory=list)
    peak_in_flight: int = 0

    def admits(self, now_s: float) -> bool:
        return True

    def serving_s(self) -> float:
        return self.latency_s * self.random.uniform(0.9, 1.1)

    def headers(self, now_s: float) -> Mapping[str, str]:
        return self.fixed_headers

    def retry_after(self, now_s: float) -> Mapping[str, str]:
        return {} if self.wait_s is None else {"retry-after": str(self.wait_s)}

    async def answer(self) -> tuple[bool, Mapping[str, str]]:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(self.jitter_s * self.random.random())
        self.arrived_s.append(loop.time())
        if not self.admits(loop.time()):
            self.refused_s.append(loop.time())
            headers = {**self.headers(loop.time()), **self.refusal_headers}
            headers.update(self.retry_after(loop.time()))
            await asyncio.sleep(self.refusal_s)
            return False, headers
        headers = self.headers(loop.time())
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        await asyncio.sleep(self.serving_s())
        self.in_flight -= 1
        self.answered_s.append(loop.time())
        return True, headers


@dataclass
class TokenBucket(Server):
    """Lets in `rate` a second, and `burst` at once."""

    rate: float = 50.0
    burst: float = 10.0
    sends_headers: bool = False
    tokens: float = -1.0
    since_s: float = 0.0

    def admits(self, now_s: float) -> bool:
        if self.tokens < 0:
            self.tokens = self.burst
        self.tokens = min(self.burst, self.tokens + (now_s - self.since_s) * self.rate)
        self.since_s = now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def headers(self, now_s: float) -> Mapping[str, str]:
        if not self.sends_headers:
            return {}
        reset_s = (self.burst - self.tokens) / self.rate
        return {
            "x-ratelimit-limit-requests": f"{self.burst:.0f}",
            "x-ratelimit-remaining-requests": str(int(self.tokens)),
            "x-ratelimit-reset-requests": f"{reset_s * 1000:.0f}ms",
        }


@dataclass
class WholeSeconds(TokenBucket):
    """The same, and tells of it by Retry-After in whole seconds only."""

    def retry_after(self, now_s: float) -> Mapping[str, str]:
        return {"retry-after": str(max(1, math.ceil((1 - self.tokens) / self.rate)))}


@dataclass
class SlidingSecond(Server):
    """Lets in `limit` in any second, however they are spread."""

    limit: int = 30
    let_in_s: deque[float] = field(default_factory=deque)

    def admits(self, now_s: float) -> bool:
        while self.let_in_s and self.let_in_s[0] < now_s - 1:
            self.let_in_s.popleft()
        if len(self.let_in_s) >= self.limit:
            return False
        self.let_in_s.append(now_s)
        return True


@dataclass
class FixedWindow(Server):
    """Lets in `limit` in each period of `length_s`."""

    limit: int = 100
    length_s: float = 10.0
    sends_headers: bool = True
    used: int = 0
    number: int = -1

    def admits(self, now_s: float) -> bool:
        number = int(now_s // self.length_s)
        if number != self.number:
            self.number, self.used = number, 0
        self.used += 1
        return self.used <= self.limit

    def headers(self, now_s: float) -> Mapping[str, str]:
        if not self.sends_headers:
            return {}
        return {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - self.used)),
            "x-ratelimit-reset": f"{self.length_s - now_s % self.length_s:.3f}",
        }


@dataclass
class WholeSecondsToWindow(FixedWindow):
    """The same, and tells of it by Retry-After in whole seconds only."""

    sends_headers: bool = False

    def retry_after(self, now_s: float) -> Mapping[str, str]:
        return {"retry-after": str(math.ceil(self.length_s - now_s % self.length_s))}


@dataclass
class ConcurrencyLimit(Server):
    """Serves at most `max_in_flight` at once, and refuses the rest."""

    max_in_flight: int = 8

    def admits(self, now_s: float) -> bool:
        return self.in_flight < self.max_in_flight


@dataclass
class Queueing(Server):
    """Serves `rate` a second; what comes faster waits in its queue."""

    rate: float = 100.0
    share: float = 0.0
    """So many are refused at random."""
    free_s: float = 0.0

    def admits(self, now_s: float) -> bool:
        return self.random.random() >= self.share

    def serving_s(self) -> float:
        now_s = asyncio.get_running_loop().time()
        self.free_s = max(self.free_s, now_s) + 1 / self.rate
        return self.free_s - now_s + self.latency_s


@dataclass
class RandomErrors(Server):
    """Refuses a share of all requests at random, however slowly they come."""

    share: float = 0.05

    def admits(self, now_s: float) -> bool:
        return self.random.random() >= self.share


@dataclass
class Outcome:
    """The result of a simulated run."""

    server: Server
    limiter: Limiter
    starts_s: list[float]
    failed_rows: int
    ended_s: float

    def rate(self, from_s: float, to_s: float) -> float:
        """Answers a second in that time."""
        return sum(from_s <= t < to_s for t in self.server.answered_s) / (to_s - from_s)

    @property
    def refused_share(self) -> float:
        return len(self.server.refused_s) / max(len(self.server.arrived_s), 1)


def simulate(
    server: Server,
    limits: Limits,
    rows: int = 3010,
    policy: RetryPolicy | None = None,
    lateness: Callable[[], float] = lambda: 0.0,
    tuning: Tuning = TUNING,
) -> Outcome:
    """Send all rows to the server, retrying as `policy` says."""
    work = _simulate(server, limits, rows, policy or RetryPolicy(), tuning)
    return virtual_time.run(work, lateness)


async def _simulate(
    server: Server, limits: Limits, rows: int, policy: RetryPolicy, tuning: Tuning
) -> Outcome:
    loop = asyncio.get_running_loop()
    limiter = Limiter(limits, clock=loop.time, tuning=tuning)
    observer = RateLimitObserver(limiter, loop.time, loop.time)
    outcome = Outcome(server, limiter, [], 0, 0.0)
    remaining = iter(range(rows))

    async def attempt() -> None:
        permit = await limiter.acquire(10, 10)
        with permit:
            outcome.starts_s.append(loop.time())
            began_s = loop.time()
            good, headers = await server.answer()
            observer.observe(headers, 200 if good else 429)
            if not good:
                wait_s = retry_after_s(headers, loop.time())
                raise UnavailableError("overloaded", status=429, wait_s=wait_s)
            permit.done(10, 10, loop.time() - began_s)

    async def work() -> None:
        for _ in remaining:
            try:
                await retrying(attempt, policy, random=server.random.random)
            except OumiError:
                outcome.failed_rows += 1

    begun = min(2 * limits.in_flight, rows)  # as in a run: a row that waits holds no place
    await asyncio.gather(*(work() for _ in range(begun)))
    outcome.ended_s = loop.time()
    return outcome
