"""When a failed try is made again, and after how long: a frozen policy and one loop.

Promises. A try is made again only if its error says `retryable`, and at most `max_retries`
times. The wait before it is
    the longer of the server's word (`error.wait_s`, from Retry-After) and `politeness_s`,
    or, where the server said nothing, between half and the whole of
    backoff_base_s * 2 ** (tries made again so far), at most `backoff_max_s`, and at least
    `politeness_s`.
Upon the server's word a tenth is added at random, never taken off, so that rows told the same
second do not all come back in it.
"""

from __future__ import annotations

import asyncio
import random as random_source
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from oumi.core.configs.remote_params import RemoteParams
from oumi.errors import OumiError

ResultT = TypeVar("ResultT")

_MOST_DOUBLINGS = 60


@dataclass(frozen=True, slots=True)
class Retry:
    """A try failed with `error`; try number `attempt` (the first was 0) follows in `wait_s`."""

    attempt: int
    error: OumiError
    wait_s: float


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how patiently."""

    max_retries: int = 3
    backoff_base_s: float = 1.0
    backoff_max_s: float = 30.0
    politeness_s: float = 0.0

    @classmethod
    def from_params(cls, params: RemoteParams) -> RetryPolicy:
        """The policy that the settings ask for."""
        return cls(
            max_retries=params.max_retries,
            backoff_base_s=params.retry_backoff_base,
            backoff_max_s=params.retry_backoff_max,
            politeness_s=params.politeness_policy,
        )

    def next_wait_s(self, attempt: int, error: OumiError) -> float | None:
        """Seconds to wait before try `attempt`; None where the error is final."""
        return self.wait_s(attempt, error) if self.allows(attempt, error) else None

    def allows(self, attempt: int, error: OumiError) -> bool:
        """Whether try `attempt` (1 is the first one made again) may follow the error."""
        return error.retryable and attempt <= self.max_retries

    def wait_s(
        self, attempt: int, error: OumiError, random: Callable[[], float] = random_source.random
    ) -> float:
        """Seconds to wait before try `attempt`; `random` gives numbers from 0 up to 1."""
        if error.wait_s:
            return max(error.wait_s * (1 + 0.1 * random()), self.politeness_s)
        whole_s = self.backoff_base_s * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS)
        backoff_s = min(whole_s, self.backoff_max_s) * (0.5 + 0.5 * random())
        return max(backoff_s, self.politeness_s)


async def retrying(
    attempt_fn: Callable[[], Awaitable[ResultT]],
    policy: RetryPolicy,
    on_retry: Callable[[Retry], object] | None = None,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    random: Callable[[], float] = random_source.random,
) -> ResultT:
    """The first result of `attempt_fn`; raises its last error where the policy ends.

    `on_retry` hears of each further try before the wait for it. A try that shares a limiter
    asks it inside `attempt_fn`, so that no place is held while waiting here.
    """
    attempt = 0
    while True:
        try:
            return await attempt_fn()
        except OumiError as error:
            attempt += 1
            if not policy.allows(attempt, error):
                raise
            retry = Retry(attempt, error, policy.wait_s(attempt, error, random))
        if on_retry is not None:
            on_retry(retry)
        await sleep(retry.wait_s)
