"""Collecting the results of a job from its provider, and writing them to an output."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from pathlib import Path

from oumi.batch.api.job import ApiJob
from oumi.batch.api.providers.base import OutputCutError, OutputNotReadyError
from oumi.batch.api.result_journal import ResultJournal
from oumi.batch.api.shard import Shard, ShardState
from oumi.batch.api.unclaimed import UnclaimedLines
from oumi.core.logs import logger
from oumi.data.source import Source
from oumi.runner.limits.retry import Retry, retrying
from oumi.runner.storage.output import Output


async def collect(job: ApiJob, journal: ResultJournal) -> None:
    """Record the results of all shards that have ended, each once.

    A shard whose output is not ready stays ENDED.
    """
    for shard in job.state.shards:
        if shard.state == ShardState.ENDED:
            is_complete = await _collect_shard(job, journal, shard)
            await asyncio.to_thread(journal.sync)
            if is_complete:
                shard.mark_collected()
            await job.save()


async def _collect_shard(job: ApiJob, journal: ResultJournal, shard: Shard) -> bool:
    """Whether all that the provider has of a shard is recorded now."""

    def warn(retry: Retry) -> None:
        logger.warning("%s: %s; asking again in %.1f s", shard.ids[-1], retry.error, retry.wait_s)

    try:
        await retrying(lambda: _record_results(job, journal, shard), job.session.retry_policy, warn)
    except OutputCutError as error:  # the same each time, so there is no more of it
        logger.warning("%s: %s", shard.ids[-1], error)
    except OutputNotReadyError as error:
        logger.warning("%s has ended, but %s. Ask again later", shard.ids[-1], error)
        return False
    return True


async def _record_results(job: ApiJob, journal: ResultJournal, shard: Shard) -> None:
    """Record what the provider has of a shard. Raises OutputNotReadyError and OutputCutError."""
    batch = await job.api.retrieve(shard.ids[-1])
    if not batch.info.is_terminal:
        raise OutputNotReadyError(f"its provider reports {batch.info.provider_status} again")
    shard.apply(batch)
    if shard.info is not None:  # it knows when the batch ended, which the provider may not report
        batch = replace(batch, info=shard.info)
    is_named = bytearray(job.folder.spec.rows)  # of each row, whether a result names it
    try:
        with UnclaimedLines(job.unclaimed_path(shard)) as unclaimed:
            async with aclosing(job.api.results(batch)) as results:
                async for result in results:
                    row = journal.record(result)
                    if row is None:
                        unclaimed.add(result.line)
                    else:
                        is_named[row] = True
    finally:
        answers = sum(journal.holds(row) for row, named in enumerate(is_named) if named)
        shard.count_results(answers=answers, failures=sum(is_named) - answers)


def write(
    job: ApiJob, journal: ResultJournal, source: Source, output: Output, *, overwrite: bool
) -> None:
    """Write all rows to the files of an output, in constant memory."""
    output.check_replaceable(journal.answered, overwrite=overwrite)
    contract_at = partial(job.session.contract_at, source)
    price, made_by = job.session.batch_price, job.folder.spec.made_by
    output.write(source, journal, job.folder.run_id, price, {}, contract_at, made_by=made_by)


def output_of(job: ApiJob, path: str | None) -> Output:
    """Where results go: the path that the caller names, or the job's own folder."""
    return Output(Path(path)) if path else job.folder.output
