"""One row on its way to its answer.

    key ─► limiter.acquire ─► session.complete ─► store.append ─► validate ─► done
                ▲                    │                                │
                └── retry ◄── a try failed          repair ◄── answer not valid

The row of a bulk run, a stream, a single request and a line of a batch are all tasks of this kind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.failure import Failure
from oumi.data.source import Row
from oumi.errors import StructuredOutputError
from oumi.runner.events import RowDone, RowFailed, RowRepaired
from oumi.runner.prefill import check_last_message
from oumi.runner.repair_loop import failed_repair, repair_request
from oumi.runner.request import NO_KEY, Request
from oumi.runner.row_context import RowContext
from oumi.runner.row_requests import RowRequests
from oumi.runner.session import Session
from oumi.runner.stop_signal import RunStoppedError
from oumi.runner.storage.row_store import AnswerTimes, RowStore, RowTimes
from oumi.structured.contract import Contract
from oumi.structured.finish import invalid_error, is_valid_as_is, require_valid
from oumi.structured.outcome import AskAgain, Invalid, outcome_of


class RowTask:
    """Owns all that one row goes through: its key, its tries, its answers so far, its outcome.

    `context` is shared by the rows of a run. `key` is given where the conversation is not at hand.
    """

    __slots__ = (
        "_context",
        "_earlier",
        "_key",
        "_problem",
        "_recorded",
        "_recorded_times",
        "_requests",
        "_row",
        "_session",
        "_store",
        "_usage",
    )

    def __init__(
        self,
        session: Session,
        row: Row,
        store: RowStore,
        context: RowContext | None = None,
        key: str = NO_KEY,
    ):
        self._session = session
        self._row = row
        self._store = store
        self._context = context = context or RowContext()
        self._key = key
        self._requests = RowRequests(row.index, context)
        self._recorded_times: RowTimes | None = None  # at the last answer
        self._earlier: tuple[Completion, ...] = ()  # answers so far, none of them valid
        self._problem = ""  # what is wrong with the last of these
        self._recorded: Completion | None = None  # the last answer that was asked for
        self._usage: Usage | None = None  # of this session, where there may be several answers

    async def run(self) -> RowDone | RowFailed:
        """Ask until the row has a valid answer or has failed; either way it is recorded.

        Raises RunStoppedError, and errors after which no other row can succeed.
        """
        try:
            completion = await self._answer()
        except RunStoppedError:
            raise
        except Exception as error:
            fatal = self._context.refusals.error_of_run(error)
            if fatal is error:
                raise
            if fatal is not None:
                raise fatal from error
            return self.fail(error)
        if not completion.from_cache:  # which shows nothing of the key and the model of this run
            self._context.refusals.row_done()
        self._keep()
        times = self._recorded_times or self._requests.times()
        latency_s, waited_s = times["latency_s"], times["waited_s"]
        return RowDone(self._row.index, completion, latency_s, waited_s, self._usage)

    @property
    def has_contract(self) -> bool:
        """Whether its answer has to look like something."""
        return self._session.contract is not None

    async def complete(self) -> Completion:
        """The row's answer, for a caller who asks nothing else. Raises the error for which there
        is none, once no further try may help.
        """
        completion = await self._answer()
        self._keep()
        return completion

    def stream(self) -> AsyncGenerator[Delta]:
        """The answer piece by piece. It is recorded and validated, and tried again as long as
        nothing of it has come, but not repaired: an answer that is not valid raises
        StructuredOutputError after its last piece of text.
        """
        request = self._request()
        return self._requests.stream(self._session, request, self._accept_and_keep)

    def accept(self, completion: Completion) -> Completion:
        """Record an answer, however it came, and return it as it is handed out.

        Raises StructuredOutputError for one that is not valid.
        """
        self._record(completion)
        return require_valid(self._session.contract, completion)

    def take_cached(self) -> RowDone | None:
        """The row answered from the cache, which is recorded; None where it has no answer there.
        Raises what is wrong with the row.
        """
        self._request()
        answer = self._cached(self._session.contract)
        if answer is None:
            return None
        return RowDone(self._row.index, answer, **self._requests.times(), usage=self._usage)

    def fail(self, error: Exception) -> RowFailed:
        """Record that the row has no answer because of an error."""
        failure = Failure.from_error(error, max(self._requests.attempts, 1))
        if self._earlier and failure.usage is None:
            failure = failed_repair(failure, self._earlier, self._problem)
        times = self._requests.times()
        self._store.append_failure(self._row.index, self._key, failure, **times)
        return RowFailed(self._row.index, failure, **times, usage=self._usage)

    def _answer(self) -> Coroutine[Any, Any, Completion]:
        """The row's answer as it is handed out."""
        request = self._request()
        contract = self._session.contract
        if (cached := self._cached(contract)) is not None:
            return _after_others(cached)
        if contract is None:
            return self._requests.complete(self._session, request, self._record)
        return self._valid_answer(request, contract)

    async def _valid_answer(self, request: Request, contract: Contract) -> Completion:
        """The answer as it has to look like, asked for again where it does not."""
        completion = self._unfinished(contract)
        if completion is None:
            completion = await self._requests.complete(self._session, request, self._record)
            if is_valid_as_is(contract, completion):
                self._store.note_valid(self._row.index)
                return completion
            self._usage = completion.usage
        outcome = outcome_of(contract, completion)
        while isinstance(outcome, AskAgain):
            self._begin_repair(completion, outcome.problem)
            again = repair_request(request, outcome)
            completion = await self._requests.complete(self._session, again, self._record)
            self._usage = (self._usage or Usage()) + completion.usage
            outcome = outcome_of(contract, completion)
        if isinstance(outcome, Invalid):
            raise invalid_error(outcome, completion)
        return outcome

    def _cached(self, contract: Contract | None) -> Completion | None:
        """The answer of another run, recorded as one of this run. Answers that this run has paid
        for go before it.
        """
        cache = self._context.cache
        if cache is None or self._store.earlier_answer(self._row.index) is not None:
            return None
        found = cache.get(self._key, self._row.repeat)
        if not isinstance(found, Completion):
            return None
        try:
            answer = require_valid(contract, found)
        except StructuredOutputError:
            return None
        self._usage = Usage()
        self._append(found)
        return answer

    def _request(self) -> Request:
        row, session = self._row, self._session
        conversation = row.conversation
        if conversation is None:
            raise row.error or ValueError("a row without a conversation")
        if row.generation is not None:
            self._session = session = session.for_row(row)
        self._key = key = session.keys.key_of(row, conversation)
        check_last_message(conversation, session.config.generation)
        return Request(conversation, session.config_of(row), key, row.shared)

    def _unfinished(self, contract: Contract) -> Completion | None:
        """An invalid answer of an earlier run from which repairs can go on."""
        earlier = self._store.earlier_answer(self._row.index)
        if earlier is None or isinstance(outcome_of(contract, earlier), Invalid):
            return None
        self._usage = Usage()
        return earlier

    def _begin_repair(self, completion: Completion, problem: str) -> None:
        self._earlier, self._problem = completion.answers, problem
        self._context.notify(RowRepaired(self._row.index, problem))

    def _accept_and_keep(self, completion: Completion) -> Completion:
        accepted = self.accept(completion)
        self._keep()
        return accepted

    def _keep(self) -> None:
        """Have the cache keep the answer, where there is one and it is new."""
        cache = self._context.cache
        if cache is not None and self._recorded is not None:
            cache.put(self._key, self._row.repeat, self._recorded)

    def _record(self, completion: Completion) -> Completion:
        if self._earlier:
            completion = completion._replace(earlier=self._earlier)
        self._append(completion)
        self._recorded = completion
        return completion

    def _append(self, completion: Completion) -> None:
        self._recorded_times = times = self._requests.times()
        first_s = completion.first_token_s
        if first_s is None:
            self._store.append(self._row.index, self._key, completion, **times)
        else:
            more = AnswerTimes(**times, first_token_s=round(first_s, 6))
            self._store.append(self._row.index, self._key, completion, **more)


async def _after_others(cached: Completion) -> Completion:
    """An answer that is there at once. Others get their turn between very many of them."""
    await asyncio.sleep(0)
    return cached
