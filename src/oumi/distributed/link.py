"""The driver's side of one worker: rows go out in batches, outcomes come back as they end."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from oumi.distributed.messages import Question, Reply, WorkerFacts
from oumi.errors import EngineError
from oumi.runner.throughput import Throughput
from oumi.runner.worker_status import WorkerState, WorkerStatus

_POLL_S = 5.0
"""A worker without news answers after this time at most, which shows that it is there."""
_POLLS_IN_SILENCE = 3
"""So often it is asked in the time after which it would take the driver for gone."""


class WorkerLostError(EngineError):
    """A worker is gone, or says nothing, and with it the rows that it had."""

    ends_run = False
    costs_no_try = True

    def __init__(self, text: str, node_id: str):
        super().__init__(text)
        self.node_id = node_id


class WorkerLink:
    """One worker that has proved what it holds. To be made and used on oumi's loop."""

    def __init__(self, name: str, actor: Any, facts: WorkerFacts, max_silence_s: float):
        self.name = name
        self.facts = facts
        self._actor = actor
        self._poll_s = min(_POLL_S, max_silence_s / _POLLS_IN_SILENCE)
        self._longest_s = self._poll_s + max_silence_s
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._outbox: list[Question] = []
        self._lost: asyncio.Future[WorkerLostError] = asyncio.get_running_loop().create_future()
        self._rows = self._tokens = 0
        self._throughput = Throughput(time.monotonic())

    @property
    def is_lost(self) -> bool:
        """Whether it is given nothing any more."""
        return self._lost.done()

    def report(self) -> WorkerStatus:
        """How it stands, with rates up to this moment."""
        node, rows, tokens = self.facts.node, self._rows, self._tokens
        if self.is_lost:
            return WorkerStatus(self.name, node, WorkerState.LOST, rows=rows, tokens=tokens)
        self._throughput.update(rows, tokens)
        in_flight, rates = len(self._waiting), self._throughput
        return WorkerStatus(
            self.name,
            node,
            WorkerState.READY,
            in_flight,
            rows,
            tokens,
            rates.rows_per_s,
            rates.tokens_per_s,
        )

    async def ask(self, question: Question) -> Reply:
        """What becomes of a row. Raises WorkerLostError."""
        if self.is_lost:
            raise self._lost.result()
        loop = asyncio.get_running_loop()
        if not self._outbox:  # what comes in the same turn of the loop goes in one call
            loop.call_soon(self._send)
        self._outbox.append(question)
        reply: asyncio.Future[Reply] = loop.create_future()
        self._waiting[question.number] = reply
        try:
            return await reply
        finally:
            self._waiting.pop(question.number, None)

    async def listen(self) -> WorkerLostError:
        """Hand out what comes back, until the worker is lost. Returns why."""
        polling = asyncio.create_task(self._poll())
        try:
            return await asyncio.shield(self._lost)
        finally:
            polling.cancel()

    async def _poll(self) -> None:
        while not self.is_lost:
            try:
                replies = await asyncio.wait_for(self._finished(), self._longest_s)
            except Exception as error:  # Ray has many kinds, of which none is ours
                self.lose(error)
                return
            for reply in replies:
                self._rows += 1
                self._tokens += reply.tokens
                future = self._waiting.get(reply.number)
                if future is not None and not future.done():
                    future.set_result(reply)

    async def _finished(self) -> list[Reply]:
        replies: list[Reply] = await self._actor.finished.remote(self._poll_s)
        return replies

    def _send(self) -> None:
        questions, self._outbox = self._outbox, []
        self._actor.ask.remote(questions)  # a failure shows in `listen` as well

    def lose(self, error: Exception) -> WorkerLostError:
        """Give up on the worker: whoever waits for it is told so. Returns why it is lost."""
        if self.is_lost:
            return self._lost.result()
        said = "it says nothing" if isinstance(error, TimeoutError) else first_line(error)
        text, node_id = f"{self.name} on {self.facts.node} is lost: {said}", self.facts.node_id
        self._lost.set_result(lost := WorkerLostError(text, node_id))
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(WorkerLostError(text, node_id))
        return lost


def first_line(error: Exception) -> str:
    """What an error of Ray says, without its list of facts."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
