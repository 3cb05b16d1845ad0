"""The workers of a run: who is there, who comes and goes, and who is given which row."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from oumi.core.configs.cluster_params import ClusterParams
from oumi.core.logs import logger
from oumi.distributed.link import WorkerLink, WorkerLostError, first_line
from oumi.distributed.messages import Question, Reply, WorkerFacts
from oumi.errors import EngineError, OumiError, RequestError

_GROW_S = 5.0
"""How often a pool looks whether the cluster has more room for it."""
_PATIENCE_S = 60.0
"""After this time without a single worker the pool says what it waits for."""
_ONE_EVENT_S = 1.0
"""Workers that are lost so soon after one another are lost for one reason, such as the end of their
node, for which no row is to blame twice."""
_MOST_LOSSES = 2
"""A row that was with so many workers when they were lost is not given to a third."""


class PoisonRowError(RequestError):
    """Workers that were given this row were lost, one after the other."""


class WorkerPool:
    """To be used on oumi's loop. `start` starts the worker of a number and returns its actor, `end`
    ends one for good, and `most` says how many the cluster has room for.
    """

    def __init__(
        self,
        params: ClusterParams,
        start: Callable[[int], Any],
        end: Callable[[Any], None],
        most: Callable[[], int],
    ):
        self._params = params
        self._start = start
        self._end = end
        self._most = most
        self._numbers = itertools.count(1)
        self._links: list[WorkerLink] = []
        self._starting = 0
        self._failures = 0  # since the last answer
        self._facts: WorkerFacts | None = None  # of the first worker
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._suspects: Counter[WorkerLink] = Counter()  # rows that were with a lost worker before
        self._tasks: set[asyncio.Task[Any]] = set()
        self._broken: OumiError | None = None
        self._has_worker = asyncio.Event()

    async def open(self) -> WorkerFacts:
        """Start the workers, and wait for the first one. Raises why none could be had."""
        self._spawn(self._grow())
        waiting = asyncio.create_task(self._has_worker.wait())
        while not (await asyncio.wait([waiting], timeout=_PATIENCE_S))[0]:
            logger.warning(
                "cluster: still waiting for a worker with %g CPUs and %g GPUs",
                self._params.cpus_per_worker,
                self._params.gpus_per_worker,
            )
        if self._broken is not None:
            raise self._broken
        assert self._facts is not None  # noqa: S101  for the type checker
        return self._facts

    async def close(self) -> None:
        """End all workers. Whoever waits for one gets an error."""
        self._break(EngineError("the engine is closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def ask(self, question: Question) -> Reply:
        """What becomes of a row. Raises PoisonRowError, and EngineError where no worker is left.

        A row whose worker is lost is asked again at once by another one. Which of the rows that a
        worker had is to blame shows when it is lost again: until then, no worker is given two of
        them at a time.
        """
        losses, last_s = 0, -math.inf
        while True:
            try:
                return await self._ask_any(question, is_suspect=losses > 0)
            except WorkerLostError as lost:
                losses += time.monotonic() - last_s > _ONE_EVENT_S
                last_s = time.monotonic()
                if losses == _MOST_LOSSES:
                    raise PoisonRowError(
                        f"{_MOST_LOSSES} workers were lost while they had this row, the last one "
                        f"so: {lost}. It is not given to another one."
                    ) from lost

    async def _ask_any(self, question: Question, *, is_suspect: bool) -> Reply:
        """What becomes of a row with one worker. Raises WorkerLostError."""
        link = await self._choose(is_suspect=is_suspect)
        try:
            reply = await self._ask(link, question)
        finally:
            self._suspects[link] -= is_suspect
            self._wake()
        self._failures = 0
        return reply

    async def _ask(self, link: WorkerLink, question: Question) -> Reply:
        """The same of one worker. One whose engine cannot go on is lost too."""
        reply = await link.ask(question)
        if isinstance(reply.error, EngineError):
            raise link.lose(reply.error)
        return reply

    async def _choose(self, *, is_suspect: bool) -> WorkerLink:
        """The worker with the most room, once any has some."""
        while True:
            if self._broken is not None:
                raise self._broken
            able = [link for link in self._links if link.free > 0]
            if is_suspect:
                able = [link for link in able if not self._suspects[link]]
            if able:
                link = max(able, key=lambda link: link.free)
                self._suspects[link] += is_suspect
                return link
            self._waiters.append(waiter := asyncio.get_running_loop().create_future())
            await waiter

    def _wake(self) -> None:
        """Have as many of those who wait for a worker look again as there is room for."""
        room = len(self._waiters) if self._broken else sum(link.free for link in self._links)
        while self._waiters and room > 0:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                room -= 1

    async def _grow(self) -> None:
        """Keep as many workers as are wanted, and as the cluster has room for."""
        while True:
            wanted = self._params.workers
            wanted = self._most() if wanted == "auto" else wanted
            for _ in range(wanted - len(self._links) - self._starting):
                self._starting += 1
                self._spawn(self._run_worker(next(self._numbers)))
            await asyncio.sleep(_GROW_S)

    async def _run_worker(self, number: int) -> None:
        """Start a worker, give it rows until it is lost, and take another one in its place."""
        actor = self._start(number)
        try:
            await self._use_worker(actor, number)
        finally:
            self._end(actor)

    async def _use_worker(self, actor: Any, number: int) -> None:
        try:
            facts = await self._open_worker(actor, number)
        finally:
            self._starting -= 1
        if facts is None:
            return
        link = WorkerLink(f"worker {number}", actor, facts, self._params.max_silence_s)
        self._links.append(link)
        self._has_worker.set()
        logger.info("cluster: %s on %s is ready", link.name, facts.node)
        self._wake()
        lost = await link.listen()
        self._links.remove(link)
        del self._suspects[link]
        self._note_failure(lost)

    async def _open_worker(self, actor: Any, number: int) -> WorkerFacts | None:
        """What a new worker holds; None for one that cannot be used."""
        try:
            facts: WorkerFacts | OumiError = await actor.open.remote()
        except Exception as error:  # Ray has many kinds
            self._note_failure(EngineError(f"worker {number} did not start: {first_line(error)}"))
            return None
        if isinstance(facts, OumiError):
            self._note_failure(facts)
            return None
        self._facts = self._facts or facts
        if facts.identity != self._facts.identity:
            logger.warning(
                "cluster: worker %d on %s holds another model than the first worker, by the "
                "fingerprint of its files: it is left out",
                number,
                facts.node,
            )
            return None
        return facts

    def _note_failure(self, error: OumiError) -> None:
        if self._broken is not None:
            return
        self._failures += 1
        logger.warning("cluster: %s", error)
        is_setting = isinstance(error, RequestError)  # which another try would not change
        if is_setting or self._failures >= self._params.max_failures:
            self._break(error)
        elif self._params.workers != "auto" or not self._starting:
            self._starting += 1
            self._spawn(self._run_worker(next(self._numbers)))

    def _break(self, error: OumiError) -> None:
        self._broken = self._broken or error
        self._has_worker.set()
        self._wake()

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
