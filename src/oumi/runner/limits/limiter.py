"""The one owner of how many requests are in flight and how fast they start.

Promises, each about the moments at which `acquire` lets a start through (its sending follows in
the same turn of the event loop or the next):

1. Any 60 s hold at most `requests_per_minute` starts. Each try is a start; a retry pays again.
   AuthMethod: `pace.per_minute`.
2. Any 60 s that end with a start hold, as known at that start, at most
   `input_tokens_per_minute` and `output_tokens_per_minute`: the estimates of starts that are
   still out or that failed, what the reply said for those that are answered. A correction
   upwards can lift the sum over the limit afterwards; then nothing starts until it is below.
   AuthMethod: `pace.SlidingWindow`.
3. Both are spread evenly: starts keep 60.52 s / requests_per_minute apart (tokens likewise), and
   of a delay of our own at most 20 ms are caught up, so never more than a second's worth, or
   one, at once. 99 % of a limit can be used.
4. Any `politeness_s` hold at most `in_flight` starts. (A failed try waits that long in retry.py.)
5. At most `in_flight` are in flight; with `adaptive`, as many as the server bears (adaptive.py).
6. After `overloaded(wait_s)`, and after a Retry-After in `observe`, nothing starts for that long.
   Headers that tell of less room than we think slow the starts down (told.py).
7. First come, first served: a start never passes one that waits. A request that no minute
   can hold is a RequestError at once. A cancelled `acquire` holds nothing.

One event loop, no tasks: a start that may be goes straight through, one that waits is a future
in a queue, and a timer is set for the head of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType

from oumi.errors import UnavailableError
from oumi.runner.limits.adaptive import Adaptive
from oumi.runner.limits.config import Limits
from oumi.runner.limits.gates import REQUESTS, Amounts, Cell, EvenPacer, Gate, gates_of, meters_of
from oumi.runner.limits.header_pacer import HeaderPacer
from oumi.runner.limits.status import LimiterStatus, RateLimitStatus

_SHORTEST_TIMER_S = 0.0005
_LEARNED_CATCH_UP_S = 0.005


class Permit:
    """The right to send one request, in use until `done`, `overloaded` or `failed` ends it.

    As a context manager it ends itself, by the exception that leaves the block: an
    UnavailableError that means overload ends it as `overloaded`, anything else as `failed`.
    Ending a permit again does nothing.
    """

    __slots__ = ("_limiter", "amounts", "cells", "in_flight", "number", "started_s")

    def __init__(self, limiter: Limiter, started_s: float, amounts: Amounts):
        self._limiter: Limiter | None = limiter
        self.started_s = started_s
        self.amounts = amounts
        self.number = limiter.starts
        self.in_flight = limiter.in_flight
        self.cells: list[Cell] | None = None

    def done(self, input_tokens: int, output_tokens: int, latency_s: float) -> None:
        """Answered; the tokens that it took replace the estimate."""
        limiter = self._limiter
        if limiter is not None:
            self._limiter = None
            limiter._answered(self, (1, input_tokens, output_tokens, 0), latency_s)

    def overloaded(self, wait_s: float | None = None) -> None:
        """Refused as too much (429, 503, 529) or timed out; `wait_s` is the server's word."""
        limiter = self._limiter
        if limiter is not None:
            self._limiter = None
            limiter._refused(self, wait_s)

    def failed(self) -> None:
        """Failed in another way. Its tokens stay counted as reserved."""
        limiter = self._limiter
        if limiter is not None:
            self._limiter = None
            limiter._leave()

    def __enter__(self) -> Permit:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, UnavailableError) and error.overload:
            self.overloaded(error.wait_s)
        else:
            self.failed()


class _Waiter:
    __slots__ = ("amounts", "future", "since_s")

    def __init__(self, amounts: Amounts, since_s: float):
        self.amounts = amounts
        self.since_s = since_s
        self.future: asyncio.Future[Permit] = asyncio.get_running_loop().create_future()


class Limiter:
    """Lets starts through. `clock` counts seconds steadily."""

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic):
        self.limits = limits
        self.starts = self.in_flight = self._overloads = 0
        self._clock = clock
        self._meters = meters_of(limits)
        self._gates: list[Gate] = [*gates_of(limits), *self._meters]
        self._told: dict[str, HeaderPacer] = {}
        self._adaptive = Adaptive(limits.in_flight) if limits.adaptive else None
        self._allowed = self._adaptive.allowed if self._adaptive else limits.in_flight
        self._learned: EvenPacer | None = None
        self._paced = False
        self._hold_s = float("-inf")
        self._queue: deque[_Waiter] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._waited_s = 0.0

    @property
    def status(self) -> LimiterStatus:
        """A snapshot of this moment."""
        pacers = [gate for gate in self._gates if isinstance(gate, EvenPacer)]
        slowest_s = max((p.interval_s for p in pacers if p.kind == REQUESTS), default=0.0)
        return LimiterStatus(
            in_flight=self.in_flight,
            allowed=self._allowed,
            waiting=sum(not waiter.future.done() for waiter in self._queue),
            rate_per_s=1 / slowest_s if slowest_s > 0 else None,
            starts=self.starts,
            overloads=self._overloads,
            waited_s=self._waited_s,
        )

    def try_acquire(self, input_tokens: int, output_tokens: int) -> Permit | None:
        """A permit if this start may be at once and nobody waits; for hot loops.

        Raises RequestError for more tokens than a minute may hold.
        """
        amounts = (1, input_tokens, output_tokens, input_tokens + output_tokens)
        for meter in self._meters:
            meter.check(amounts)
        if self._queue or self.in_flight >= self._allowed:
            return None
        now_s = self._clock()
        if self._ready_s(now_s, amounts) > now_s:
            return None
        return self._start(now_s, amounts)

    async def acquire(self, input_tokens: int, output_tokens: int) -> Permit:
        """A permit, when there is a place, the rates allow it and all who came before have one.

        Raises RequestError for more tokens than a minute may hold.
        """
        permit = self.try_acquire(input_tokens, output_tokens)
        if permit is not None:
            return permit
        amounts = (1, input_tokens, output_tokens, input_tokens + output_tokens)
        self._queue.append(waiter := _Waiter(amounts, self._clock()))
        if len(self._queue) == 1:
            self._serve()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self._give_back(waiter)
            raise

    def pause(self, wait_s: float) -> None:
        """Start nothing for `wait_s` seconds from now."""
        self._hold(self._clock() + wait_s)

    def observe(self, status: RateLimitStatus) -> None:
        """Adjust the pace to a rate limit as the server just reported it."""
        pacer = self._told.get(status.kind)
        if pacer is None:
            pacer = self._told[status.kind] = HeaderPacer(status.kind)
            self._gates.append(pacer.pacer)
        pacer.look(status, self._clock())

    def _ready_s(self, now_s: float, amounts: Amounts) -> float:
        ready_s = self._hold_s
        for gate in self._gates:
            gate_s = gate.ready_s(now_s, amounts)
            if gate_s > ready_s:
                ready_s = gate_s
        return ready_s

    def _start(self, now_s: float, amounts: Amounts) -> Permit:
        adaptive = self._adaptive
        if adaptive is not None and self.starts >= adaptive.next_mark:
            adaptive.mark(now_s, self.starts)
        self.starts += 1
        self.in_flight += 1
        permit = Permit(self, now_s, amounts)
        for gate in self._gates:
            gate.take(now_s, amounts)
        if self._meters:
            permit.cells = [meter.cell(now_s) for meter in self._meters]
        return permit

    def _serve(self) -> None:
        """Let through who may start, from the head of the queue; set the timer for the next."""
        self._paced = False
        while self._queue:
            waiter = self._queue[0]
            if waiter.future.done():  # cancelled
                self._queue.popleft()
                continue
            if self.in_flight >= self._allowed:
                return
            now_s = self._clock()
            ready_s = self._ready_s(now_s, waiter.amounts)
            if ready_s > now_s:
                self._wake_at(ready_s, now_s, waiter.amounts)
                return
            self._queue.popleft()
            self._waited_s += now_s - waiter.since_s
            waiter.future.set_result(self._start(now_s, waiter.amounts))

    def _wake_at(self, ready_s: float, now_s: float, amounts: Amounts) -> None:
        learned = self._learned
        self._paced = learned is not None and learned.ready_s(now_s, amounts) >= ready_s
        if self._timer is not None:
            if self._timer_s <= ready_s + _SHORTEST_TIMER_S:
                return
            self._timer.cancel()
        delay_s = max(ready_s - now_s, _SHORTEST_TIMER_S)
        self._timer_s = now_s + delay_s
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._serve()

    def _leave(self) -> None:
        self.in_flight -= 1
        if self._queue:
            self._serve()

    def _give_back(self, waiter: _Waiter) -> None:
        """Of a waiter that was cancelled, before or after it was let through."""
        if not waiter.future.cancelled():
            permit = waiter.future.result()
            self._correct(permit, (1, 0, 0, 0))
            permit.failed()
        elif self._queue:
            self._serve()
        if not self._queue and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answered(self, permit: Permit, used: Amounts, latency_s: float) -> None:
        if self._meters:
            self._correct(permit, used)
        adaptive = self._adaptive
        if adaptive is not None:
            now_s = self._clock()
            if adaptive.replied(now_s, latency_s, self.in_flight, self._paced):
                self._learn(adaptive.rate, now_s)
            self._allowed = adaptive.allowed
        self._leave()

    def _refused(self, permit: Permit, wait_s: float | None) -> None:
        self._overloads += 1
        now_s = self._clock()
        if wait_s is not None:
            self._hold(now_s + wait_s)
        adaptive = self._adaptive
        if adaptive is not None:
            if adaptive.overloaded(max(now_s, self._hold_s), permit, self.in_flight - 1):
                self._learn(adaptive.rate, now_s)
            self._allowed = adaptive.allowed
        self._leave()

    def _correct(self, permit: Permit, used: Amounts) -> None:
        for meter, cell in zip(self._meters, permit.cells or (), strict=True):
            meter.correct(cell, used[meter.kind] - permit.amounts[meter.kind])

    def _hold(self, until_s: float) -> None:
        self._hold_s = max(self._hold_s, until_s)

    def _learn(self, rate: float, now_s: float) -> None:
        if self._learned is None:
            self._learned = EvenPacer(REQUESTS, catch_up_s=_LEARNED_CATCH_UP_S)
            self._gates.append(self._learned)
        self._learned.change(now_s, 1 / rate)
