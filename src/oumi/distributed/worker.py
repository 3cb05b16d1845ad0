"""A worker: an actor of Ray that holds an engine, is given rows, and gives back outcomes.

Everything of it runs on oumi's own loop, so that nothing is locked. Its two calls make one long
exchange with the driver: `ask` brings rows, `finished` waits until any have ended. A worker that
hears nothing from the driver for some time ends itself: the driver may be gone, or may have given
this worker's rows to others, and answers cost money.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import replace

import ray

from oumi.backends.remote.session import RemoteSession
from oumi.core.configs import InferenceConfig
from oumi.distributed.messages import Question, Reply, WorkerFacts
from oumi.errors import OumiError
from oumi.inference import InferenceEngine, build_engine
from oumi.runner import loop
from oumi.runner.session import Session


class _Headers:
    """Keeps the headers of replies for the driver, whose limiter they are meant for."""

    def __init__(self) -> None:
        self.seen: list[tuple[Mapping[str, str], int]] = []

    def observe(self, headers: Mapping[str, str], status: int) -> None:
        """Keep those of a reply."""
        self.seen.append((dict(headers), status))


class Worker:
    """Made on a node of the cluster. `config` are the settings of the run, without keys."""

    def __init__(self, config: InferenceConfig, keys: Mapping[str, str], max_silence_s: float):
        os.environ.update(keys)
        self._config = config
        self._max_silence_s = max_silence_s
        self._heard_s = time.monotonic()
        self._engine: InferenceEngine
        self._usual: Session
        self._replies: list[Reply] = []
        self._has_replies = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> WorkerFacts | OumiError:
        """Load the engine. An error is a value, so that Ray does not wrap it."""
        try:
            self._engine = await asyncio.to_thread(build_engine, self._config)
            self._usual = await asyncio.to_thread(self._engine.session, self._config)
        except OumiError as error:
            return error
        self._heard_s = time.monotonic()
        loop.submit(self._watch())
        usual, node_id = self._usual, ray.get_runtime_context().get_node_id()
        return WorkerFacts(platform.node(), node_id, dict(usual.identity), usual.max_in_flight)

    async def ask(self, questions: list[Question]) -> None:
        """Begin with these rows."""
        await asyncio.wrap_future(loop.submit(self._begin(questions)))

    async def finished(self, timeout_s: float) -> list[Reply]:
        """What has ended, as soon as anything has; nothing once the time is over."""
        return await asyncio.wrap_future(loop.submit(self._take(timeout_s)))

    async def _begin(self, questions: list[Question]) -> None:
        self._heard_s = time.monotonic()
        for question in questions:
            task = asyncio.create_task(self._answer(question))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take(self, timeout_s: float) -> list[Reply]:
        self._heard_s = time.monotonic()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._has_replies.wait(), timeout_s)
        self._heard_s = time.monotonic()
        replies, self._replies = self._replies, []
        self._has_replies.clear()
        return replies

    async def _answer(self, question: Question) -> None:
        headers = _Headers()
        try:
            session = self._session(question.config, headers)
            request = question.request(session.config)
            if session.media is not None and session.media.is_needed(request):
                request = await session.media.load(request)
            completion = await session.complete(request)
            reply = Reply.done(question.number, completion, headers.seen)
        except Exception as error:  # each row ends as a value
            reply = Reply.failed(question.number, error, headers.seen)
        self._replies.append(reply)
        self._has_replies.set()

    def _session(self, config: InferenceConfig | None, headers: _Headers) -> Session:
        """The session of a row's settings, which tells the headers of its replies to the driver."""
        session = self._usual
        if config is not None:
            session = session.with_settings(config.generation)
        if isinstance(session, RemoteSession):
            return replace(session, rate_limits=headers)
        return session

    async def _watch(self) -> None:
        while (silent_s := time.monotonic() - self._heard_s) < self._max_silence_s:  # noqa: ASYNC110
            await asyncio.sleep(self._max_silence_s - silent_s)
        for task in self._tasks:
            task.cancel()
        os._exit(1)  # whatever a runtime is in the middle of, it has no listener any more
