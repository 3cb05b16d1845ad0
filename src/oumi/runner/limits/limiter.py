"""The one owner of how many requests are in flight and how fast they start.

Promises, each about the moments at which `acquire` lets a start through (its sending follows in
the same turn of the event loop or the next):

1. Any 60 s hold at most `requests_per_minute` starts. Each attempt is a start: a retry counts
   again. Proof: `gates.per_minute`.
2. Any 60 s that end with a start hold, as known at that start, at most `input_tokens_per_minute`
   and `output_tokens_per_minute`. Counted are the estimates of requests that are in flight or
   failed, and what the reply reported for those that succeeded. A correction upwards can lift
   the sum over the limit afterwards; then nothing starts until it is below again.
   Proof: `gates.SlidingWindow`.
3. With `spread`, both are spread evenly: starts keep 60.52 s / requests_per_minute apart (tokens
   likewise), and at most 20 ms of our own lateness are caught up, so that never more than a
   second's worth, or one, start at once. 99 % of a limit can be used.
4. Any `politeness_s` hold at most `in_flight` starts. (In retry.py a failed attempt waits it.)
5. At most `in_flight` are in flight; with `adaptive`, as many as the server bears (adaptive.py).
6. After `overloaded(wait_s)` and after `pause(wait_s)` nothing starts for that long, unless, with
   `adaptive`, overloads come at any pace: then only the refused row waits (background_errors.py). A
   pause longer than `max_wait_s` is an UnavailableError that ends the run. Where a server reports
   less of a limit left than we use, starts slow down (header_pacer.py). While it is away, one
   request at a time starts (outage.py).
7. First come, first served: a start never passes one that waits. A request that no minute
   can hold is a RequestError at once. A cancelled `acquire` holds nothing.

One event loop, no tasks: a start that may be goes straight through, one that must wait is a
future in a queue, and a timer is set for the first in the queue.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from oumi.core.forks import watch_forks
from oumi.errors import UnavailableError
from oumi.runner.limits.adaptive import AdaptiveConcurrency
from oumi.runner.limits.availability import Availability
from oumi.runner.limits.config import Limits
from oumi.runner.limits.gates import (
    REQUESTS,
    Amounts,
    EvenPacer,
    Gate,
    amounts_of,
    start_gates,
    token_windows,
)
from oumi.runner.limits.header_pacer import HeaderPacer
from oumi.runner.limits.pause import Pause
from oumi.runner.limits.permit import Permit, Waiter
from oumi.runner.limits.start_timer import StartTimer
from oumi.runner.limits.status import LimiterStatus, RateLimitStatus, Wait
from oumi.runner.limits.tuning import TUNING, Tuning


class Limiter:
    """Lets starts through, by the promises above. `clock` counts seconds steadily; `server` is
    the name of the server in errors.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
        tuning: Tuning = TUNING,
        server: str = "the server",
    ):
        self.limits = limits
        self._server = server
        self.starts = self.in_flight = self._overloads = 0
        self._clock = clock
        self._tuning = tuning
        self._token_windows = token_windows(limits)
        self._gates: list[Gate] = [*start_gates(limits), *self._token_windows]
        self.availability = Availability(self._gates, clock, server)
        self._header_pacers: dict[str, HeaderPacer] = {}
        self._adaptive = AdaptiveConcurrency(limits.in_flight, tuning) if limits.adaptive else None
        self._adaptive_pacer: EvenPacer | None = None
        self._window = self._adaptive.window if self._adaptive else limits.in_flight
        self._rate_limited = False  # the first in the queue waits for the adaptive rate
        self._pause = Pause(limits.max_wait_s)
        self._queue: deque[Waiter] = deque()
        self._timer = StartTimer(tuning.min_timer_s)
        self._waited_s = 0.0
        watch_forks(self)

    def after_fork(self) -> None:
        """Begin anew: what is in flight, and who waits, is the parent's."""
        fresh = Limiter(self.limits, clock=self._clock, tuning=self._tuning, server=self._server)
        vars(self).update(vars(fresh))

    @property
    def status(self) -> LimiterStatus:
        """A snapshot of this moment."""
        pacers = [gate for gate in self._gates if isinstance(gate, EvenPacer)]
        slowest_s = max((p.interval_s for p in pacers if p.kind == REQUESTS), default=0.0)
        return LimiterStatus(
            in_flight=self.in_flight,
            allowed=self._window,
            waiting=sum(not waiter.future.done() for waiter in self._queue),
            rate_per_s=1 / slowest_s if slowest_s > 0 else None,
            starts=self.starts,
            overloads=self._overloads,
            waited_s=self._waited_s,
        )

    @property
    def wait(self) -> Wait | None:
        """What all requests wait for: the end of an outage, or of a pause."""
        return self.availability.wait or self._pause.wait(self._clock())

    def try_acquire(self, input_tokens: int, output_tokens: int) -> Permit | None:
        """A permit if this start may be at once and nobody waits; for hot loops.

        Raises RequestError for more tokens than a minute may hold.
        """
        amounts = (1, input_tokens, output_tokens, input_tokens + output_tokens)
        for token_window in self._token_windows:
            token_window.check(amounts)
        if self._queue or self.in_flight >= self._window:
            return None
        now_s = self._clock()
        if self._ready_s(now_s, amounts) > now_s:
            return None
        return self._start(now_s, amounts)

    def held_back_by(self, input_tokens: int, output_tokens: int) -> tuple[int | None, float]:
        """What holds this start back: the kind of units, or None for those in flight; and for how
        many seconds at least, as far as known now.
        """
        if self.in_flight >= self._window:
            return None, 0.0
        amounts, now_s = amounts_of(input_tokens, output_tokens), self._clock()
        gate = max(self._gates, key=lambda gate: gate.ready_s(now_s, amounts))
        return gate.kind, gate.ready_s(now_s, amounts) - now_s

    async def acquire(self, input_tokens: int, output_tokens: int) -> Permit:
        """A permit, once the limits allow this start and all who came before have theirs.

        Raises RequestError for more tokens than a minute may hold, and UnavailableError in a pause
        that is longer than it may be.
        """
        permit = self.try_acquire(input_tokens, output_tokens)
        return permit or await self.wait_turn(input_tokens, output_tokens)

    async def wait_turn(self, input_tokens: int, output_tokens: int) -> Permit:
        """`acquire` for a start that `try_acquire` has just refused."""
        self.availability.end_stale()
        self._pause.check(self._clock())
        amounts = amounts_of(input_tokens, output_tokens)
        self._queue.append(waiter := Waiter(amounts, self._clock()))
        if len(self._queue) == 1:
            self._serve_queue()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self._cancel(waiter)
            raise

    def pause(self, wait_s: float, reason: str = "") -> None:
        """Start nothing for `wait_s` seconds from now, for a reason in the server's words."""
        self._pause.extend(self._clock(), wait_s, reason)

    def observe(self, status: RateLimitStatus) -> None:
        """Adjust the pace to a rate limit as the server has just reported it."""
        pacer = self._header_pacers.get(status.kind)
        if pacer is None:
            pacer = self._header_pacers[status.kind] = HeaderPacer(status.kind, self._tuning)
            self._gates.append(pacer.pacer)
        pacer.update(status, self._clock())

    def _ready_s(self, now_s: float, amounts: Amounts) -> float:
        ready_s = self._pause.until_s
        for gate in self._gates:
            gate_s = gate.ready_s(now_s, amounts)
            if gate_s > ready_s:
                ready_s = gate_s
        return ready_s

    def _start(self, now_s: float, amounts: Amounts) -> Permit:
        adaptive = self._adaptive
        if adaptive is not None and self.starts >= adaptive.next_sample_start:
            adaptive.sample_starts(now_s, self.starts)
        self.starts += 1
        self.in_flight += 1
        permit = Permit(self, now_s, amounts)
        for gate in self._gates:
            gate.reserve(now_s, amounts)
        if self._token_windows:
            permit.window_slots = [window.slot(now_s) for window in self._token_windows]
        return permit

    def _serve_queue(self) -> None:
        """Let through who may start, in order; set the timer for the first who may not yet."""
        self._rate_limited = False
        while self._queue:
            waiter = self._queue[0]
            if waiter.future.done():  # cancelled
                self._queue.popleft()
                continue
            if self.in_flight >= self._window:
                return  # `_release` comes back here
            now_s, amounts = self._clock(), waiter.amounts
            ready_s = self._ready_s(now_s, amounts)
            if ready_s > now_s:
                pacer = self._adaptive_pacer
                self._rate_limited = pacer is not None and pacer.ready_s(now_s, amounts) >= ready_s
                self._timer.set(ready_s, now_s, self._serve_queue)
                return
            self._queue.popleft()
            self._waited_s += now_s - waiter.since_s
            waiter.future.set_result(self._start(now_s, amounts))

    def _release(self) -> None:
        self.in_flight -= 1
        if self._queue:
            self._serve_queue()

    def _cancel(self, waiter: Waiter) -> None:
        """The task of a waiter was cancelled, before or after the waiter was let through."""
        if not waiter.future.cancelled():  # it has a permit that nobody will use
            permit = waiter.future.result()
            self._correct_tokens(permit, (1, 0, 0, 0))
            permit.failed()
        elif self._queue:
            self._serve_queue()
        if not self._queue:
            self._timer.cancel()

    def end_done(
        self, permit: Permit, input_tokens: int, output_tokens: int, latency_s: float
    ) -> None:
        """A permit's request succeeded."""
        availability = self.availability
        availability.answers += 1
        outage = availability.outage
        if outage is not None and permit.number > outage.starts:
            availability.end()
        if self._token_windows or self._header_pacers:
            self._note_used(permit, amounts_of(input_tokens, output_tokens))
        adaptive = self._adaptive
        if adaptive is not None:
            now_s = self._clock()
            if adaptive.on_success(now_s, latency_s, self.in_flight, self._rate_limited):
                self._set_adaptive_rate(adaptive.rate_per_s, now_s)
            self._window = adaptive.window
        self._release()

    def end_failed(self, permit: Permit, error: BaseException | None) -> None:
        """A permit's request failed, or was not sent."""
        outage = self.availability.outage
        if outage is not None and permit.number > outage.starts:
            self.availability.probe_failed(error)
        if isinstance(error, UnavailableError):
            self.availability.note_duration(error, permit.started_s)
            if error.overload:
                self._overloaded(permit, error)
            if error.wait_s is not None:
                self._pause.explain(str(error))  # where the reply's headers began it
        self._release()

    def _overloaded(self, permit: Permit, error: UnavailableError) -> None:
        """A request was refused as too much (429, 503, 529) or timed out."""
        self._overloads += 1
        for pacer in self._header_pacers.values():
            pacer.refused(permit.started_s)
        adaptive, now_s = self._adaptive, self._clock()
        if adaptive is not None and adaptive.is_background(permit):
            return  # only its own row waits
        if error.wait_s is not None:
            self.pause(error.wait_s, str(error))
        if adaptive is not None:
            pause_s = max(self._pause.until_s - now_s, 0.0)
            adaptive.on_overload(now_s, pause_s, permit, self.in_flight - 1)
            if adaptive.rate_per_s < float("inf") or self._adaptive_pacer is not None:
                self._set_adaptive_rate(adaptive.rate_per_s, now_s)
            self._window = adaptive.window

    def _note_used(self, permit: Permit, used: Amounts) -> None:
        """What a permit's request has used, as its reply says."""
        self._correct_tokens(permit, used)
        for pacer in self._header_pacers.values():
            pacer.answered(permit.started_s, self._clock(), used)

    def _correct_tokens(self, permit: Permit, used: Amounts) -> None:
        for window, slot in zip(self._token_windows, permit.window_slots or (), strict=True):
            window.correct(slot, used[window.kind] - permit.amounts[window.kind])

    def _set_adaptive_rate(self, rate_per_s: float, now_s: float) -> None:
        if self._adaptive_pacer is None:
            self._adaptive_pacer = EvenPacer(REQUESTS, catch_up_s=self._tuning.catch_up_s)
            self._gates.append(self._adaptive_pacer)
        self._adaptive_pacer.set_interval(now_s, 1 / rate_per_s)
