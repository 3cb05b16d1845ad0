"""Submitting the shards of a job, each exactly once, and asking how far they are.

The state CREATING is on disk before anything may start a batch. A shard that is found in it was
left by a process that ended, or by a reply that was lost, around the one call that costs money:
the provider is asked for the shard's tag first, and the call is made again only if it knows none.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import timedelta

from oumi.batch.api.job import ApiJob
from oumi.batch.api.providers.base import ApiBatch, QueueFullError, UnknownBatchError
from oumi.batch.api.request_files import prepare, split
from oumi.batch.api.shard import Shard, ShardState
from oumi.core.logs import logger
from oumi.errors import RequestError
from oumi.runner.limits.retry import retrying

# A shard that is rejected twice while nothing else of the job runs is taken to be larger than the
# whole queue: the first time, batches of other programs may have filled it.
_REJECTIONS_BEFORE_HALVING = 2
# Batches older than the job are not searched, with a day for clocks that differ from ours.
_CLOCK_TOLERANCE = timedelta(days=1)


async def advance(job: ApiJob) -> None:
    """Ask how far the shards are, and submit those that wait, as far as the queue takes them."""
    if not job.state.attempt:
        await begin_attempt(job)
    await refresh(job)
    if job.state.cancelled:
        return
    await _split_large_shards(job)
    for shard in job.state.current:
        if shard.is_waiting:
            if not job.state.may_submit(time.time()):
                return
            await _submit(job, shard)


async def begin_attempt(job: ApiJob) -> None:
    """Prepare the requests of all rows without an answer."""
    await asyncio.to_thread(prepare, job)
    await job.save()


async def refresh(job: ApiJob, *, save: bool = True) -> None:
    """Ask for news of the shards whose batches the provider may have some of."""
    shards = [shard for shard in job.state.current if shard.may_change]
    if not shards:
        return
    ended = job.state.ended
    batches = await asyncio.gather(*(_look_up(job, shard) for shard in shards))
    for shard, batch in zip(shards, batches, strict=True):
        if batch is None:
            _mark_unknown(job, shard)
        elif batch.info.is_terminal or shard.state != ShardState.ENDED:  # providers waver
            _apply(job, shard, batch, ended)
    if save:
        await job.save()


async def _look_up(job: ApiJob, shard: Shard) -> ApiBatch | None:
    """The shard's batch as its provider reports it, or None where it has no such batch.

    A single reply may be wrong about that, and to believe it might pay twice. So the list of all
    batches has to lack it as well.
    """
    try:
        return await job.api.retrieve(shard.ids[-1])
    except UnknownBatchError as unknown:
        if shard.state == ShardState.UNKNOWN:
            return None
        try:
            return await _find_listed(job, shard)
        except RequestError:
            raise unknown from None


async def _find_listed(job: ApiJob, shard: Shard) -> ApiBatch | None:
    """The shard's batch among all batches that are not older."""
    created_at = shard.info.created_at if shard.info else None
    since = min(created_at or job.folder.spec.created_at, job.folder.spec.created_at)
    since -= _CLOCK_TOLERANCE
    async with aclosing(job.api.list()) as batches:
        async for batch in batches:
            if batch.info.id == shard.ids[-1]:
                return batch
            if batch.info.created_at and batch.info.created_at < since:
                return None
    return None


def _mark_unknown(job: ApiJob, shard: Shard) -> None:
    reason = (
        f"{job.session.name} no longer knows the batch {shard.ids[-1]}: it was deleted, its time "
        "there is over, or it belongs to another account than this key"
    )
    if shard.state != ShardState.UNKNOWN:
        logger.warning("%s", reason)
    shard.mark_unknown(reason)


async def cancel(job: ApiJob) -> None:
    """Stop what runs, and submit nothing more."""
    job.state.cancelled = True
    await job.save()
    for shard in job.state.current:
        if shard.is_waiting:
            await _cancel_waiting(job, shard)
    await job.save()
    for shard in job.state.current:
        if shard.is_running:
            batch = await job.api.cancel(shard.ids[-1])
            _apply(job, shard, batch, job.state.ended)
    await job.save()


async def _cancel_waiting(job: ApiJob, shard: Shard) -> None:
    """Give a shard up, unless a batch was started for it whose reply was lost."""
    batch = await _find(job, shard) if shard.state == ShardState.CREATING else None
    if batch is None:
        _cancel_unsent(job, shard)
    else:
        _apply(job, shard, batch, job.state.ended)


def _cancel_unsent(job: ApiJob, shard: Shard) -> None:
    shard.cancel_unsent()
    job.requests_path(shard).unlink(missing_ok=True)


async def _split_large_shards(job: ApiJob) -> None:
    """Halve each shard for which the queue had no space while nothing else of the job ran."""
    shards = job.state.shards
    for shard in [shard for shard in job.state.current if shard.state == ShardState.QUEUED]:
        if shard.rejections < _REJECTIONS_BEFORE_HALVING or shard.requests < 2:
            continue
        halves = await asyncio.to_thread(split, job, shard)
        at = shards.index(shard)
        shards[at : at + 1] = halves
        await job.save()
        job.requests_path(shard).unlink(missing_ok=True)
        logger.warning("%s is too large for the provider's room, and halved", shard.tag)


async def _submit(job: ApiJob, shard: Shard) -> None:
    """Submit one shard, or leave it queued if the provider's queue is full."""
    if shard.state == ShardState.QUEUED and not shard.upload:
        upload = await job.api.upload(job.requests_path(shard), shard.tag)
        shard.record_upload(upload)
        await job.save()
    ended = job.state.ended
    try:
        batch = await retrying(lambda: _find_or_create(job, shard), job.session.retry_policy)
    except QueueFullError as error:
        shard.requeue()
        _record_rejection(job, shard, str(error), ended)
    else:
        _apply(job, shard, batch, ended)
    await job.save()


async def _find_or_create(job: ApiJob, shard: Shard) -> ApiBatch:
    """The shard's batch: the one that an earlier call started, or a new one."""
    if shard.state == ShardState.CREATING:
        found = await _find(job, shard)
        if found is not None:
            return found
    else:
        shard.begin_creating()
        await job.save()  # before the call: see the top of this file
    session = job.session
    window = session.remote.batch_completion_window
    return await job.api.create(shard.upload, shard.tag, session.path, window)


async def _find(job: ApiJob, shard: Shard) -> ApiBatch | None:
    """The batch of a shard in CREATING, if the call that starts it was made."""
    since = job.folder.spec.created_at - _CLOCK_TOLERANCE
    known = {batch_id for other in job.state.shards for batch_id in other.ids}
    return await job.api.find(shard.tag, shard.upload, known, since)


def _apply(job: ApiJob, shard: Shard, batch: ApiBatch, ended: int) -> None:
    """Take over what the provider reports; `ended` shards had ended before it was asked."""
    shard.apply(batch)
    if shard.has_ended:  # its requests are not needed any more
        job.requests_path(shard).unlink(missing_ok=True)
    elif shard.state == ShardState.QUEUED and job.state.cancelled:
        _cancel_unsent(job, shard)
    elif shard.state == ShardState.QUEUED:
        _record_rejection(job, shard, "; ".join(batch.info.errors), ended)


def _record_rejection(job: ApiJob, shard: Shard, reason: str, ended: int) -> None:
    job.state.record_queue_full(time.time(), ended)
    shard.rejections += not any(other.is_running for other in job.state.current)
    logger.warning("%s waits for room at the provider: %s", shard.tag, reason)
