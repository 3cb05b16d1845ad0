"""A run: rows go to the engine, a bounded number at a time, and every row ends as a value.

The way of a row: `_work` takes it, `_answer` ends it as an event, `retrying` repeats `_try`,
and a try asks the limiter, then the engine, and records the answer before anything else. Where
answers are to have a form, `mend` asks further until one has it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Failure, Usage, is_fatal
from oumi.data.sources import Row
from oumi.errors import UnavailableError
from oumi.runner.cost import Price
from oumi.runner.events import (
    Event,
    Listener,
    RowAskedAgain,
    RowDone,
    RowFailed,
    RowRetried,
    RunEnded,
    Stopping,
)
from oumi.runner.limits.limiter import Limiter
from oumi.runner.limits.retry import Retry, RetryPolicy, retrying
from oumi.runner.repair_loop import Earlier, failed_after, mend
from oumi.runner.request import NO_KEY, KeyMaker, Request
from oumi.structured.contract import Contract
from oumi.structured.finish import is_valid_as_is
from oumi.structured.outcome import Invalid, outcome_of

_SYNC_EVERY_S = 1.0


class _NotBegun(Exception):  # noqa: N818  it is no error
    """The run was stopped before the row was asked for."""


class Answerer(Protocol):
    """What a run needs of an engine."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    def identity(self, config: InferenceConfig) -> Mapping[str, Any]:
        """What besides the settings shapes an answer."""
        ...

    def in_flight(self, config: InferenceConfig) -> int:
        """Most requests worth having begun at once."""
        ...

    def limiter(self, config: InferenceConfig) -> Limiter:
        """The owner of the engine's rates and concurrency."""
        ...

    def retry_policy(self, config: InferenceConfig) -> RetryPolicy:
        """How often a failed try is made again."""
        ...

    def contract(self, config: InferenceConfig) -> Contract | None:
        """What answers have to look like; None where nothing is asked of them."""
        ...

    def price(self, config: InferenceConfig) -> Price | None:
        """What tokens cost; None where they cost nothing."""
        ...

    def estimate_tokens(self, request: Request) -> tuple[int, int]:
        """Most tokens of the prompt and of the answer, as far as can be told beforehand."""
        ...

    async def complete(self, request: Request) -> Completion:
        """Answer one request."""
        ...


class Records(Protocol):
    """Where answers are kept: the journal of a file, or memory."""

    def holds(self, row: int) -> bool:
        """Whether the row has a record, and nothing more is to be done for it."""
        ...

    def draft(self, row: int) -> Completion | None:
        """The answers from before that a row goes on from."""
        ...

    def record(self, row: int, key: str, completion: Completion, *, latency_s: float) -> None:
        """Keep an answer."""
        ...

    def record_failure(self, row: int, key: str, failure: Failure, *, latency_s: float) -> None:
        """Keep the reason why there is none."""
        ...

    def sync(self) -> None:
        """Bring everything to the disk."""
        ...


@dataclass(slots=True)
class _Asking:
    """A row on its way."""

    row: Row
    key: str = NO_KEY
    started_s: float = 0.0
    attempts: int = 0
    earlier: Earlier = ()
    """Its answers so far, none in the form that was asked for."""
    problem: str = ""
    """What is wrong with the last of them."""
    usage: Usage | None = None
    """Tokens of this session, where there may be several answers."""

    @property
    def latency_s(self) -> float:
        return round(time.monotonic() - self.started_s, 6)


def tokens_used(completion: Completion, estimate: tuple[int, int]) -> tuple[int, int]:
    """Tokens of the prompt and of the answer; the estimate where the server does not count."""
    usage = completion.usage
    return (usage.prompt_tokens, usage.completion_tokens) if usage.total_tokens else estimate


class Run:
    """One pass over the rows with at most `in_flight` of them begun and not ended.

    `stop` lets what is in flight finish and begins nothing more. An error after which no other
    row can succeed does the same, and is raised by `go` once nothing is in flight.
    """

    def __init__(
        self,
        engine: Answerer,
        config: InferenceConfig,
        keys: KeyMaker,
        records: Records,
        listener: Listener,
        contract: Contract | None = None,
    ):
        self._engine = engine
        self._config = config
        self._keys = keys
        self._records = records
        self._listener = listener
        self._contract = contract
        self._limiter = engine.limiter(config)
        self._policy = engine.retry_policy(config)
        self._in_flight = 0
        self._fatal: BaseException | None = None
        self.stopped = False

    async def go(self, rows: Iterator[Row], in_flight: int) -> None:
        """Ask for all rows that have no record yet. Raises the error that ended the run."""
        syncing = asyncio.create_task(self._sync())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(in_flight):
                    group.create_task(self._work(rows))
        finally:
            syncing.cancel()
        self._listener(RunEnded())
        if self._fatal is not None:
            raise self._fatal

    def stop(self) -> None:
        """Begin no further row."""
        self.stopped = True
        self._listener(Stopping(self._in_flight))

    async def _work(self, rows: Iterator[Row]) -> None:
        try:
            for row in rows:
                if self.stopped or self._fatal:
                    return
                if not self._records.holds(row.index):
                    self._in_flight += 1
                    try:
                        self._listener(await self._answer(row))
                    finally:
                        self._in_flight -= 1
        except _NotBegun:
            return
        except Exception as error:
            self._fatal = self._fatal or error

    async def _answer(self, row: Row) -> Event:
        """The row's answer or failure, recorded. Raises _NotBegun, and what ends the run."""
        asking = _Asking(row, started_s=time.monotonic())
        try:
            completion = await self._ask(asking)
        except _NotBegun:
            raise
        except Exception as error:
            if is_fatal(error):
                raise
            return self._fail(asking, error)
        return RowDone(row.index, completion, asking.latency_s, asking.usage)

    async def _ask(self, asking: _Asking) -> Completion:
        row = asking.row
        if row.conversation is None:
            raise row.error or ValueError("a row without a conversation")
        asking.key = self._keys.key(row.conversation)
        request = Request(row.conversation, self._config, asking.key)
        contract = self._contract
        if contract is None:
            return await self._retry(asking, request)
        draft = self._records.draft(row.index)
        if draft is not None and not isinstance(outcome_of(contract, draft), Invalid):
            asking.usage = Usage()
            return await self._mend(asking, request, contract, draft)
        completion = await self._retry(asking, request)
        if is_valid_as_is(contract, completion):
            return completion
        asking.usage = completion.usage
        return await self._mend(asking, request, contract, completion)

    async def _mend(
        self, asking: _Asking, request: Request, contract: Contract, completion: Completion
    ) -> Completion:
        async def ask(request: Request, earlier: Earlier) -> Completion:
            asking.earlier = earlier
            completion = await self._retry(asking, request)
            asking.usage = (asking.usage or Usage()) + completion.usage
            return completion

        def report(problem: str) -> None:
            asking.problem = problem
            self._listener(RowAskedAgain(asking.row.index, problem))

        return await mend(contract, request, completion, ask, report)

    def _retry(self, asking: _Asking, request: Request) -> Awaitable[Completion]:
        def report(retry: Retry) -> None:
            self._listener(RowRetried(asking.row.index, retry.error, retry.wait_s))

        return retrying(lambda: self._try(asking, request), self._policy, report)

    async def _try(self, asking: _Asking, request: Request) -> Completion:
        estimate = self._engine.estimate_tokens(request)
        with await self._limiter.acquire(*estimate) as permit:
            if self.stopped or self._fatal:
                raise _NotBegun
            asking.attempts += 1
            started_s = time.monotonic()
            try:
                completion = await self._engine.complete(request)
            except UnavailableError as error:
                if error.overload:
                    permit.overloaded(error.wait_s)
                raise
            # Before anything else: from here on the answer is paid for.
            if asking.earlier:
                completion = replace(completion, earlier=asking.earlier)
            latency_s = asking.latency_s
            self._records.record(asking.row.index, asking.key, completion, latency_s=latency_s)
            took_s = time.monotonic() - started_s
            permit.done(*tokens_used(completion, estimate), took_s)
            return completion

    def _fail(self, asking: _Asking, error: Exception) -> RowFailed:
        failure = Failure.from_error(error, max(asking.attempts, 1))
        if asking.earlier and failure.usage is None:
            failure = failed_after(failure, asking.earlier, asking.problem)
        latency_s = asking.latency_s
        index = asking.row.index
        self._records.record_failure(index, asking.key, failure, latency_s=latency_s)
        return RowFailed(index, failure, latency_s, asking.usage)

    async def _sync(self) -> None:
        while True:
            await asyncio.sleep(_SYNC_EVERY_S)
            await asyncio.to_thread(self._records.sync)
