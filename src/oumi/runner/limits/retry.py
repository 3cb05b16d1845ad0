"""When a failed attempt is repeated, and after how long: a frozen policy and one loop.

Promises. An attempt is repeated only if its error is `retryable`, and at most `max_retries`
times. The wait before the next attempt is

- where the server asked for a wait (`error.wait_s`, from Retry-After): that wait, plus up to a
  tenth of it at random, so that rows which failed in the same second do not all come back at
  once. It is never shortened.
- otherwise exponential backoff with jitter: `backoff_base_s`, doubled for each attempt that
  failed before, at most `backoff_max_s`, of which a random part up to a half is left out;

and in both cases at least `politeness_s`.

What says nothing about a request uses up none of its retries; tries.py says what follows then.
"""

from __future__ import annotations

import asyncio
import random as random_source
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from oumi.errors import OumiError

if TYPE_CHECKING:
    from oumi.core.configs.remote_params import RemoteParams

ResultT = TypeVar("ResultT")

_MAX_DOUBLINGS = 60
"""2.0 ** 60 s is longer than any `backoff_max_s`; a larger power could overflow a float."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Attempt number `attempt` (the first is 1) failed with `error`; the next one follows after
    `wait_s` seconds."""

    attempt: int
    error: OumiError
    wait_s: float


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a failed attempt is repeated, and how long to wait before."""

    max_retries: int = 3
    backoff_base_s: float = 1.0
    backoff_max_s: float = 30.0
    politeness_s: float = 0.0
    max_outage_s: float | None = None
    """How long to wait for a server that is away or has too much to do; None: not at all."""
    max_wait_s: float = float("inf")
    """The longest wait that a server may ask for."""

    @classmethod
    def from_params(cls, params: RemoteParams) -> RetryPolicy:
        """The policy that the settings ask for."""
        return cls(
            max_retries=params.max_retries,
            backoff_base_s=params.retry_backoff_base,
            backoff_max_s=params.retry_backoff_max,
            politeness_s=params.politeness_policy,
            max_outage_s=params.max_outage_s,
            max_wait_s=params.max_wait_s,
        )

    def next_wait_s(
        self, attempt: int, error: OumiError, random: Callable[[], float] = random_source.random
    ) -> float | None:
        """Seconds to wait after attempt number `attempt` (the first is 1) failed with `error`.

        None means: give up. `random` returns numbers from 0 up to 1.
        """
        is_too_long = (error.wait_s or 0.0) > self.max_wait_s
        if not error.retryable or attempt > self.max_retries or is_too_long:
            return None
        return self.wait_s(attempt, error, random)

    def wait_s(
        self, attempt: int, error: OumiError, random: Callable[[], float] = random_source.random
    ) -> float:
        """The same, however many retries were made."""
        if error.wait_s:
            return max(error.wait_s * (1 + 0.1 * random()), self.politeness_s)
        return max(self.backoff_s(attempt, random), self.politeness_s)

    def backoff_s(self, attempt: int, random: Callable[[], float] = random_source.random) -> float:
        """Exponential backoff with jitter after attempt number `attempt`."""
        doubled_s = self.backoff_base_s * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS)
        return min(doubled_s, self.backoff_max_s) * (0.5 + 0.5 * random())


async def retrying(
    call: Callable[[], Awaitable[ResultT]],
    policy: RetryPolicy,
    on_retry: Callable[[Retry], object] | None = None,
    *,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    random: Callable[[], float] = random_source.random,
) -> ResultT:
    """Await `call()` until it succeeds; raise its error once the policy gives up.

    `on_retry` is called before each wait. A call that needs a limiter's permit acquires it
    itself, so that no permit is held during the wait.
    """
    attempt = 0
    while True:
        try:
            return await call()
        except OumiError as error:
            attempt += 1
            wait_s = policy.next_wait_s(attempt, error, random)
            if wait_s is None:
                raise
            retry = Retry(attempt, error, wait_s)
        if on_retry is not None:
            on_retry(retry)
        await sleep(retry.wait_s)
