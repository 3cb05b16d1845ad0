"""The right to send one request, and the wait for it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from oumi.errors import UnavailableError
from oumi.runner.limits.gates import Amounts, WindowSlot


class Owner(Protocol):
    """The limiter, which hears of the end of each permit."""

    starts: int
    in_flight: int

    def end_done(
        self, permit: Permit, input_tokens: int, output_tokens: int, latency_s: float
    ) -> None:
        """Its request succeeded."""
        ...

    def end_failed(self, permit: Permit, error: BaseException | None) -> None:
        """Its request failed, or was not sent."""
        ...


class Permit:
    """The right to send one request, held until `done`, `overloaded` or `failed` ends it.

    As a context manager it ends itself, by the exception that leaves the block. Ending a permit
    again does nothing.
    """

    __slots__ = ("_limiter", "amounts", "in_flight", "number", "started_s", "window_slots")

    def __init__(self, limiter: Owner, started_s: float, amounts: Amounts):
        self._limiter: Owner | None = limiter
        self.started_s = started_s
        self.amounts = amounts
        self.number = limiter.starts
        self.in_flight = limiter.in_flight
        self.window_slots: list[WindowSlot] | None = None

    def done(self, input_tokens: int, output_tokens: int, latency_s: float) -> None:
        """It succeeded; the tokens that it used replace the estimate."""
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.end_done(self, input_tokens, output_tokens, latency_s)

    def overloaded(self, wait_s: float | None = None) -> None:
        """It was refused as too much, or timed out; nothing starts for `wait_s`."""
        self.failed(UnavailableError("too many requests", status=429, wait_s=wait_s))

    def failed(self, error: BaseException | None = None) -> None:
        """It failed. Its tokens stay counted as reserved. An UnavailableError that means overload
        reduces what may be in flight, and nothing starts for the wait that an error asks for.
        """
        limiter, self._limiter = self._limiter, None
        if limiter is not None:
            limiter.end_failed(self, error)

    def __enter__(self) -> Permit:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if self._limiter is not None:
            self.failed(error)


class Waiter:
    """A start that waits in the queue of a limiter."""

    __slots__ = ("amounts", "future", "since_s")

    def __init__(self, amounts: Amounts, since_s: float):
        self.amounts = amounts
        self.since_s = since_s
        self.future: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()
