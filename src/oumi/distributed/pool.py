"""The workers of a run: who is there, who comes and goes, and who is given which row."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from typing import Any

from oumi.core.configs.cluster_params import ClusterParams
from oumi.core.logs import logger
from oumi.distributed.cluster import Cluster
from oumi.distributed.dispatcher import Dispatcher
from oumi.distributed.link import WorkerLink, WorkerLostError, first_line
from oumi.distributed.losses import Losses, Suspects
from oumi.distributed.messages import Question, Reply, WorkerFacts
from oumi.distributed.prefix_affinity import beginnings
from oumi.errors import EngineError, OumiError, RequestError
from oumi.runner.worker_status import WorkerState, WorkerStatus

_GROW_S = 5.0
"""How often a pool looks whether the cluster has more room for it."""
_PATIENCE_S = 60.0
"""After this time without a single worker the pool says what it waits for."""
_MOST_ENDED = 8
"""Workers that have ended are still reported, as many as a terminal has lines for."""


class WorkerPool:
    """To be used on oumi's loop. `cluster` starts and ends workers."""

    def __init__(self, params: ClusterParams, cluster: Cluster):
        self._params = params
        self._cluster = cluster
        self._numbers = itertools.count(1)
        self._starting: dict[int, None] = {}
        self._links: list[WorkerLink] = []
        self._ended: deque[WorkerStatus] = deque(maxlen=_MOST_ENDED)
        self._failures = Losses()  # since the last answer
        self._facts: WorkerFacts | None = None  # of the first worker
        self._dispatcher = Dispatcher()
        self._suspects = Suspects()
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

    def report(self) -> tuple[WorkerStatus, ...]:
        """How the workers stand, those that have ended last first."""
        starting = (
            WorkerStatus(_name(number), None, WorkerState.STARTING) for number in self._starting
        )
        return (*self._ended, *(link.report() for link in self._links), *starting)

    async def ask(self, question: Question, key: str) -> Reply:
        """What becomes of a row, by its key. Raises WorkerLostError, after which it is to be asked
        again, PoisonRowError, and EngineError where no worker is left.

        Which of the rows that a lost worker had is to blame shows when it is lost again: until
        then, no worker is given two of them at a time, and none of the same node where there are
        others.
        """
        lost_on = self._suspects.lost_on(key)
        link = await self._dispatcher.take(beginnings(question.conversation), lost_on)
        try:
            reply = await self._ask(link, question)
        except WorkerLostError as lost:
            self._suspects.add(key, lost)
            raise
        finally:
            self._dispatcher.give_back(link, lost_on)
        self._suspects.remove(key)
        return reply

    async def _ask(self, link: WorkerLink, question: Question) -> Reply:
        """The same of one worker. One whose engine cannot go on is lost too."""
        reply = await link.ask(question)
        if isinstance(reply.error, EngineError):
            raise link.lose(reply.error)
        self._failures = Losses()
        return reply

    async def _grow(self) -> None:
        """Keep as many workers as are wanted, and as the cluster has room for."""
        while True:
            for _ in range(self._cluster.wanted() - len(self._links) - len(self._starting)):
                self._begin_worker()
            await asyncio.sleep(_GROW_S)

    def _begin_worker(self) -> None:
        number = next(self._numbers)
        self._starting[number] = None
        self._spawn(self._run_worker(number))

    async def _run_worker(self, number: int) -> None:
        """Start a worker, give it rows until it is lost, and take another one in its place."""
        actor = self._cluster.start(number)
        try:
            await self._use_worker(actor, number)
        finally:
            self._cluster.end(actor)

    async def _use_worker(self, actor: Any, number: int) -> None:
        try:
            facts = await self._open_worker(actor, number)
        finally:
            del self._starting[number]
        if facts is None:
            return
        link = WorkerLink(_name(number), actor, facts, self._params.max_silence_s)
        self._links.append(link)
        self._has_worker.set()
        logger.info("cluster: %s on %s is ready", link.name, facts.node)
        self._dispatcher.add(link)
        lost = await link.listen()
        self._links.remove(link)
        self._dispatcher.remove(link)
        self._ended.append(link.report())
        self._note_failure(lost)

    async def _open_worker(self, actor: Any, number: int) -> WorkerFacts | None:
        """What a new worker holds; None for one that cannot be used."""
        try:
            facts: WorkerFacts | OumiError = await actor.open.remote()
        except Exception as error:  # Ray has many kinds
            facts = EngineError(f"{_name(number)} did not start: {first_line(error)}")
        if isinstance(facts, OumiError):
            self._ended.append(WorkerStatus(_name(number), None, WorkerState.LOST))
            self._note_failure(facts)
            return None
        self._facts = self._facts or facts
        if facts.identity != self._facts.identity:
            self._leave_out(facts, number)
            return None
        return facts

    def _leave_out(self, facts: WorkerFacts, number: int) -> None:
        """Give nothing to a worker that holds another model, nor start others on its node."""
        self._ended.append(WorkerStatus(_name(number), facts.node, WorkerState.LEFT_OUT))
        self._cluster.avoid(facts.node_id)
        logger.warning(
            "cluster: worker %d on %s holds another model than the first worker, by the "
            "fingerprint of its files: the node is left out",
            number,
            facts.node,
        )

    def _note_failure(self, error: OumiError) -> None:
        if self._broken is not None:
            return
        self._failures.add()
        logger.warning("cluster: %s", error)
        is_setting = isinstance(error, RequestError)  # which another try would not change
        if is_setting or self._failures.count >= self._params.max_failures:
            self._break(error)
        elif len(self._links) + len(self._starting) < self._cluster.wanted():
            self._begin_worker()

    def _break(self, error: OumiError) -> None:
        self._broken = self._broken or error
        self._has_worker.set()
        self._dispatcher.fail(self._broken)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _name(number: int) -> str:
    return f"worker {number}"
