"""Queries to answers: each sample a RowTask over the session of the model that may answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from oumi.core.logs import logger
from oumi.core.types.completion import Completion, Delta, ToolCallDelta
from oumi.core.types.conversation import Conversation
from oumi.core.waiting import all_of
from oumi.data.source import ListSource, Row
from oumi.runner.row_context import RowContext
from oumi.runner.row_task import RowTask
from oumi.runner.session import Session
from oumi.runner.stop_signal import StopSignal
from oumi.runner.storage.memory import MemoryStore
from oumi.server.http.errors import may_fall_back
from oumi.server.merged_streams import merged
from oumi.server.query import Answer, Query

if TYPE_CHECKING:
    from oumi.runner.limits.budget import Budget
    from oumi.server.models import Model

ResultT = TypeVar("ResultT")
_NEVER = StopSignal()
"""No request is stopped as a run is: it ends with its client."""

Samples = AsyncGenerator[tuple[int, Delta]]
"""Parts of several answers, each with the number of its answer."""


def answer(models: Sequence[Model], query: Query, budget: Budget | None) -> Awaitable[Answer]:
    """The answers of the first of the models that can give them, within a budget."""
    return _first_able(models, lambda model: _complete(model, query, budget))


@asynccontextmanager
async def open_stream(
    models: Sequence[Model], query: Query, budget: Budget | None
) -> AsyncIterator[tuple[Model, tuple[int, Delta], Samples]]:
    """The model that answers, the first part of its answers, and the further parts.

    Until there is a first part, other models may be asked, and errors are raised as by `answer`.
    """

    async def begin(model: Model) -> tuple[Model, tuple[int, Delta], Samples]:
        parts = _stream(model, query, budget)
        try:
            return model, await anext(parts), parts
        except BaseException:
            await parts.aclose()
            raise

    found = await _first_able(models, begin)
    async with aclosing(found[2]):
        yield found


async def _first_able(
    models: Sequence[Model], ask: Callable[[Model], Awaitable[ResultT]]
) -> ResultT:
    *others, last = models
    for model in others:
        try:
            return await ask(model)
        except Exception as error:
            if not may_fall_back(error):
                raise
            logger.warning("%s does not answer, the next model is asked: %s", model.name, error)
    return await ask(last)


async def _complete(model: Model, query: Query, budget: Budget | None) -> Answer:
    with model.admission.admit(query.answers):
        tasks = _tasks(model, await session_of(model, query), query, budget)
        if len(tasks) == 1:
            return Answer(model.name, [await tasks[0].complete()])
        return Answer(model.name, await all_of(task.complete() for task in tasks))


async def _stream(model: Model, query: Query, budget: Budget | None) -> Samples:
    with model.admission.admit(query.answers):
        session = await session_of(model, query)
        streams = [_as_stream(model, task) for task in _tasks(model, session, query, budget)]
        async with aclosing(merged(streams)) as parts:
            async for part in parts:
                yield part


def _as_stream(model: Model, task: RowTask) -> AsyncGenerator[Delta]:
    cached = task.take_cached() if model.cache is not None else None
    if cached is not None and isinstance(cached.completion, Completion):
        return _only(_whole(cached.completion))
    # An answer of a form may have to be repaired, or is written otherwise by the API.
    if task.has_contract and not model.is_local:
        return _once_whole(task)
    return task.stream()


async def _once_whole(task: RowTask) -> AsyncGenerator[Delta]:
    yield _whole(await task.complete())


async def _only(delta: Delta) -> AsyncGenerator[Delta]:
    yield delta


def _whole(completion: Completion) -> Delta:
    """A whole answer as the only part of a stream."""
    message = completion.message
    calls = tuple(
        ToolCallDelta(index, call.id, call.function.name, call.function.arguments)
        for index, call in enumerate(message.tool_calls or ())
    )
    text = message.compute_flattened_text_content("")
    return Delta(text, message.reasoning_content or "", completion, calls)


async def session_of(model: Model, query: Query) -> Session:
    """The session of the query's settings. To read a large schema may take a while."""
    if "guided_decoding" in query.settings:
        return await asyncio.to_thread(model.session_for, query)
    return model.session_for(query)


def _tasks(model: Model, session: Session, query: Query, budget: Budget | None) -> list[RowTask]:
    """A task for each sample. Where a seed is set, each further one has the next seed."""
    rows = [_row(session, asked) for asked in (query.conversation, *query.further)]
    seed = session.config.generation.seed
    samples = [(session, 0)]
    for sample in range(1, query.samples):
        if seed is None:
            samples.append((session, sample))  # which the cache keeps by itself
        else:
            settings = {**query.settings, "seed": seed + sample}
            samples.append((model.session_for(query._replace(settings=settings)), 0))
    return [
        RowTask(
            one,
            row._replace(sample=sample) if sample else row,
            MemoryStore(),
            RowContext(stop=_NEVER, cache=model.cache, budget=budget),
        )
        for row in rows
        for one, sample in samples
    ]


def _row(session: Session, conversation: Conversation) -> Row:
    if session.prefixes is None:
        return Row(0, conversation)
    return next(session.rows(ListSource([conversation])))
