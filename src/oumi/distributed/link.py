"""The driver's side of one worker: rows go out in batches, outcomes come back as they end."""

from __future__ import annotations

import asyncio
from typing import Any

from oumi.distributed.messages import Question, Reply, WorkerFacts
from oumi.errors import EngineError

_POLL_S = 5.0
"""A worker without news answers after this time at most, which shows that it is there."""
_POLLS_IN_SILENCE = 3
"""So often it is asked in the time after which it would take the driver for gone."""


class WorkerLostError(EngineError):
    """A worker is gone, or says nothing, and with it the rows that it had."""

    ends_run = False


class WorkerLink:
    """One worker that has proved what it holds. To be used on oumi's loop."""

    def __init__(self, name: str, actor: Any, facts: WorkerFacts, max_silence_s: float):
        self.name = name
        self.facts = facts
        self._actor = actor
        self._poll_s = min(_POLL_S, max_silence_s / _POLLS_IN_SILENCE)
        self._longest_s = self._poll_s + max_silence_s
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._outbox: list[Question] = []
        self._lost: WorkerLostError | None = None
        self.answered = 0
        """How many rows it has given an outcome."""

    @property
    def in_flight(self) -> int:
        """Rows that it has."""
        return len(self._waiting)

    @property
    def free(self) -> int:
        """Rows that it has room for."""
        return 0 if self._lost else self.facts.most_rows - len(self._waiting)

    async def ask(self, question: Question) -> Reply:
        """What becomes of a row. Raises WorkerLostError."""
        if self._lost is not None:
            raise self._lost
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
        while True:
            try:
                replies = await asyncio.wait_for(self._finished(), self._longest_s)
            except Exception as error:  # Ray has many kinds, of which none is ours
                return self.lose(error)
            for reply in replies:
                self.answered += 1
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
        if self._lost is not None:
            return self._lost
        said = "it says nothing" if isinstance(error, TimeoutError) else first_line(error)
        self._lost = lost = WorkerLostError(f"{self.name} on {self.facts.node} is lost: {said}")
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(WorkerLostError(str(lost)))
        return lost


def first_line(error: Exception) -> str:
    """What an error of Ray says, without its list of facts."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
