"""Submitting the parts of a job, each exactly once, and looking how far they are.

Before anything may start a batch, `begun` is on disk. Where it is found there without an id, the
process ended, or the reply got lost, somewhere around the one call that costs money: the provider
is asked for the part's tag first, and only where it does not know it, the call is made again.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta

from oumi.backends.remote.session import RemoteSession
from oumi.batch.api.providers import ApiBatch, BatchApi, NoRoomError
from oumi.batch.api.shards import halve, prepare
from oumi.batch.api.state import Shard, State, describe, part_path
from oumi.batch.job_folder import JobFolder
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo
from oumi.runner.limits.retry import retrying

_REFUSALS = 2
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True)
class ApiJob:
    """A job at hand. Who changes it holds the folder's lock."""

    folder: JobFolder
    state: State
    session: RemoteSession
    api: BatchApi

    @property
    def info(self) -> BatchInfo:
        """The job as a whole."""
        return describe(self.folder, self.state)

    async def save(self) -> None:
        """Bring the state to the disk."""
        await asyncio.to_thread(self.state.save, self.folder)


async def advance(job: ApiJob) -> None:
    """Look how far the parts are, and submit those that wait, as far as there is room."""
    if not job.state.attempt:
        await begin_attempt(job)
    await refresh(job)
    if job.state.cancelled:
        return
    await _halve(job)
    for part in job.state.current:
        if part.is_waiting:
            if not job.state.has_room(time.time()):
                return
            await _submit(job, part)


async def begin_attempt(job: ApiJob) -> None:
    """Prepare the requests of all rows without an answer."""
    await asyncio.to_thread(prepare, job.folder, job.state, job.session, job.api)
    await job.save()


async def refresh(job: ApiJob, *, keep: bool = True) -> None:
    """Ask how far the parts are that the provider is at."""
    running = [part for part in job.state.current if part.is_running]
    if not running:
        return
    ended = job.state.ended
    told = await asyncio.gather(*(job.api.retrieve(part.ids[-1]) for part in running))
    for part, batch in zip(running, told, strict=True):
        _take(job, part, batch, ended)
    if keep:
        await job.save()


async def cancel(job: ApiJob) -> None:
    """Stop what runs, and submit nothing more."""
    job.state.cancelled = True
    await job.save()
    for part in job.state.current:
        if part.is_waiting and part.begun:
            batch = await _find(job, part)
            if batch is not None:
                part.take(batch)
        if part.is_waiting:
            part.stopped = True
            part_path(job.folder, part).unlink(missing_ok=True)
    await job.save()
    for part in job.state.current:
        if part.is_running:
            batch = await job.api.cancel(part.ids[-1])
            _take(job, part, batch, job.state.ended)
    await job.save()


async def _halve(job: ApiJob) -> None:
    """Make two of each part that was refused again and again while nothing else ran."""
    parts = job.state.parts
    for part in [part for part in job.state.current if part.is_waiting and not part.begun]:
        if part.refusals < _REFUSALS or part.requests < 2:
            continue
        halves = await asyncio.to_thread(halve, job.folder, part)
        at = parts.index(part)
        parts[at : at + 1] = halves
        await job.save()
        part_path(job.folder, part).unlink(missing_ok=True)
        logger.warning("%s is too large for the provider's room, and halved", part.tag)


async def _submit(job: ApiJob, part: Shard) -> None:
    """Submit one part, or note that there is no room for it."""
    api = job.api
    if not part.upload and not part.begun:
        part.upload = await api.upload(part_path(job.folder, part), part.tag)
        await job.save()
    ended = job.state.ended
    try:
        batch = await retrying(lambda: _create(job, part), job.session.retry_policy)
    except NoRoomError as error:
        part.begun, part.refused = False, True
        _queue(job, part, str(error), ended)
    else:
        _take(job, part, batch, ended)
    await job.save()


async def _create(job: ApiJob, part: Shard) -> ApiBatch:
    """The part's batch: the one that an earlier try started, or a new one."""
    if part.begun:
        found = await _find(job, part)
        if found is not None:
            return found
    part.begun = True
    await job.save()
    session = job.session
    window = session.remote.batch_completion_window
    return await job.api.create(part.upload, part.tag, session.path, window)


async def _find(job: ApiJob, part: Shard) -> ApiBatch | None:
    since = job.folder.intent.created_at - _CLOCKS_DIFFER
    known = {batch_id for other in job.state.parts for batch_id in other.ids}
    return await job.api.find(part.tag, part.upload, known, since)


def _take(job: ApiJob, part: Shard, batch: ApiBatch, ended: int) -> None:
    """Note what the provider told of a part when so many had ended."""
    part.take(batch)
    if batch.refused:
        _queue(job, part, "; ".join(batch.info.errors), ended)
    elif batch.info.is_terminal:  # its requests are not needed any more
        part_path(job.folder, part).unlink(missing_ok=True)


def _queue(job: ApiJob, part: Shard, reason: str, ended: int) -> None:
    job.state.refuse(time.time(), ended)
    part.refusals += not any(other.is_running for other in job.state.current)
    logger.warning("%s waits for room at the provider: %s", part.tag, reason)
