"""The requests of one row: each within the limits and the budget, and tried again where that may
help."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.embedding import Embeddings
from oumi.errors import OumiError
from oumi.runner.embedding_request import EmbeddingRequest
from oumi.runner.events import RowRetried
from oumi.runner.limits.permit import Permit
from oumi.runner.limits.reservation import NOTHING_RESERVED, Reservation, Tokens
from oumi.runner.limits.tries import Tries
from oumi.runner.request import Request
from oumi.runner.row_context import RowContext
from oumi.runner.stop_signal import RunStoppedError
from oumi.runner.storage.row_store import RowTimes
from oumi.runner.streamed_calls import StreamedCalls

if TYPE_CHECKING:
    from oumi.runner.limits.limiter import Limiter
    from oumi.runner.session import Session

RequestT = TypeVar("RequestT", Request, EmbeddingRequest)
AnswerT = TypeVar("AnswerT", Completion, Embeddings)

Accept = Callable[[Completion], Completion]
"""Records an answer, and returns it as it is handed out."""


class RowRequests:
    """Sends what the row with number `index` asks, and counts it.

    `context` is shared by the rows of a run; it hears of each retry.
    """

    # It must not hold its task, not even by a method: rows that are cycles keep the garbage
    # collector busy for a sixth of the time that a row takes.
    __slots__ = (
        "_context",
        "_index",
        "_latency_s",
        "_started_s",
        "attempts",
    )

    def __init__(self, index: int, context: RowContext):
        self._index = index
        self._context = context
        self._started_s = time.monotonic()
        self._latency_s = 0.0  # of the requests that were answered
        self.attempts = 0
        """How many requests were sent, or were about to be."""

    def times(self) -> RowTimes:
        """What the row took until now, to the microsecond."""
        latency_us = int(self._latency_s * 1e6)
        waited_us = int((time.monotonic() - self._started_s) * 1e6) - latency_us
        waited_s = waited_us / 1e6 if waited_us > 0 else 0.0
        return {"latency_s": latency_us / 1e6, "waited_s": waited_s}

    def complete(
        self, session: Session, request: Request, record: Accept
    ) -> Coroutine[Any, Any, Completion]:
        """An answer to a request, recorded."""
        load = _loader(session, request)
        estimate = session.estimate_tokens(request)
        return self._ask(session, session.complete, request, record, estimate, load)

    def embed(
        self,
        session: Session,
        request: EmbeddingRequest,
        record: Callable[[Embeddings], Embeddings],
    ) -> Coroutine[Any, Any, Embeddings]:
        """The vectors of texts, recorded."""
        estimate = (request.expected_tokens, 0)
        return self._ask(session, session.embed, request, record, estimate)

    async def _ask(
        self,
        session: Session,
        ask: Callable[[RequestT], Coroutine[Any, Any, AnswerT]],
        request: RequestT,
        record: Callable[[AnswerT], AnswerT],
        estimate: tuple[int, int],
        load: Callable[[RequestT], Coroutine[Any, Any, RequestT]] | None = None,
    ) -> AnswerT:
        """What `ask` answers. What follows a try that failed, `Tries` knows.

        `estimate` are upper bounds on the tokens of the prompt and of the answer, for limits in
        tokens. `load` is run at each try, so that no bytes are held while a row waits.
        """
        limiter, stop, tries = session.limiter, self._context.stop, None
        while True:
            try:
                with (
                    await self._reserve(session, request)
                    if self._context.budget
                    else NOTHING_RESERVED as reservation,
                    limiter.try_acquire(*estimate)
                    or await self._wait_turn(limiter, estimate) as permit,
                ):
                    if stop.is_set:
                        raise RunStoppedError
                    self.attempts += 1
                    loaded = request if load is None else await stop.ends(load(request))
                    started_s = time.monotonic()
                    reservation.sent()
                    answering = ask(loaded)
                    outage = limiter.availability.outage
                    if outage is not None and outage.error.unreachable:
                        answering = stop.ends(answering)  # there is only a connection to come
                    answer = await answering
                    took_s = self._answered_after(started_s)
                    answer = record(answer)  # from here on it is paid for
                    reservation.spend(answer.usage)
                    _end(permit, answer.usage, estimate, took_s)
                    return answer
            except OumiError as error:
                tries = tries or Tries(session.retry_policy, limiter)
                wait_s = self._wait_after(error, tries)
                if wait_s is None:
                    raise
            await stop.ends(asyncio.sleep(wait_s))

    async def stream(
        self, session: Session, request: Request, accept: Accept
    ) -> AsyncGenerator[Delta]:
        """The answer piece by piece, tried again as long as nothing of it has come."""
        tries, has_begun = None, False
        while True:
            try:
                async with aclosing(self._stream_once(session, request, accept)) as deltas:
                    async for delta in deltas:
                        has_begun = True
                        yield delta
                return
            except OumiError as error:
                tries = tries or Tries(session.retry_policy, session.limiter)
                wait_s = None if has_begun else self._wait_after(error, tries)
                if wait_s is None:
                    raise
            await self._context.stop.ends(asyncio.sleep(wait_s))

    async def _stream_once(
        self, session: Session, request: Request, accept: Accept
    ) -> AsyncGenerator[Delta]:
        """One try of a stream. All parts of all tool calls are in it by its end."""
        estimate, calls = session.estimate_tokens(request), StreamedCalls()
        load = _loader(session, request)
        with (
            await self._reserve(session, request) as reservation,
            await session.limiter.acquire(*estimate) as permit,
        ):
            self.attempts += 1
            if load is not None:
                request = await self._context.stop.ends(load(request))
            started_s = time.monotonic()
            reservation.sent()
            async with aclosing(session.stream(request)) as deltas:
                async for delta in deltas:
                    calls.add(delta.tool_calls)
                    if delta.completion is not None:
                        took_s = self._answered_after(started_s)
                        _end(permit, delta.completion.usage, estimate, took_s)
                        reservation.spend(delta.completion.usage)
                        completion = accept(delta.completion)
                        rest = calls.rest(completion.message.tool_calls or ())
                        parts = (*delta.tool_calls, *rest)
                        delta = replace(delta, completion=completion, tool_calls=parts)
                    yield delta

    def _wait_after(self, error: OumiError, tries: Tries) -> float | None:
        """Seconds until a failed try is made again; None where it is not."""
        is_hopeless = self._context.refusals.is_hopeless(error)
        wait_s = None if is_hopeless else tries.next_wait_s(error)
        if wait_s is not None:
            self._context.notify(RowRetried(self._index, error, wait_s))
        return wait_s

    async def _reserve(self, session: Session, request: Request | EmbeddingRequest) -> Reservation:
        """What the request may take of the budget, once that is left. A stop ends the wait."""
        budget = self._context.budget
        if budget is None or not budget.limits_tokens:
            return NOTHING_RESERVED
        if isinstance(request, EmbeddingRequest):
            most = Tokens(request.most_tokens)
        else:
            prompt = await session.count_prompt(request)
            most = Tokens(prompt.most, request.config.generation.max_new_tokens)
        is_begun = self.attempts > 0
        return await self._context.stop.ends(budget.reserve(most, session.price, is_begun=is_begun))

    def _wait_turn(
        self, limiter: Limiter, estimate: tuple[int, int]
    ) -> Coroutine[Any, Any, Permit]:
        """The limiter's leave to send a request, once it comes. A stop ends the wait for it."""
        return self._context.stop.ends(limiter.wait_turn(*estimate))

    def _answered_after(self, started_s: float) -> float:
        """Count a request that was answered, and return how many seconds it took."""
        took_s = time.monotonic() - started_s
        self._latency_s += took_s
        return took_s


def _loader(
    session: Session, request: Request
) -> Callable[[Request], Coroutine[Any, Any, Request]] | None:
    """What loads the media that a request names; None where it names none."""
    media = session.media
    return media.load if media is not None and media.is_needed(request) else None


def _end(permit: Permit, usage: Usage, estimate: tuple[int, int], took_s: float) -> None:
    """End a permit with the tokens that were used; the estimate where the server does not count."""
    if usage.prompt_tokens or usage.completion_tokens:
        permit.done(usage.prompt_tokens, usage.completion_tokens, took_s)
    else:
        permit.done(*estimate, took_s)
