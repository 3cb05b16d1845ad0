"""Batch jobs at a provider that has an API for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from oumi.backends.remote.api_choice import with_api
from oumi.backends.remote.backend import RemoteBackend
from oumi.batch.api import adopted
from oumi.batch.api.collect import collect, output_of, write
from oumi.batch.api.job import ApiJob
from oumi.batch.api.job_state import JobState, job_info, public_id
from oumi.batch.api.jobs import make_spec, new_spec, open_job
from oumi.batch.api.providers import open_api
from oumi.batch.api.providers.base import ApiBatch, BatchApi
from oumi.batch.api.result_journal import ResultJournal
from oumi.batch.api.shard import Shard
from oumi.batch.api.state_file import load_state, save_state
from oumi.batch.api.submit import advance, begin_attempt, cancel, refresh
from oumi.batch.job_folder import (
    JobFolder,
    all_folders,
    find_folder,
    folder_of,
    latest,
    next_of,
    root,
)
from oumi.batch.job_spec import JobKind
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.logs import logger, warn_once
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source
from oumi.errors import RequestError, UnavailableError
from oumi.runner.storage.memory import join_rows
from oumi.runner.storage.snapshot import outcome_in

_INCOMPLETE = frozenset({BatchStatus.FAILED, BatchStatus.EXPIRED, BatchStatus.CANCELLED})


class ApiBatches:
    """The jobs of one engine. Each method reads the folder first, and then asks the provider."""

    def __init__(self, backend: RemoteBackend):
        self._backend = backend

    async def submit(
        self, source: Source, config: InferenceConfig, *, resubmit: bool = False
    ) -> str:
        """Submit a job, once however often the same call is made, and return its id.

        With `resubmit` it is submitted as a whole once more, as a job of its own; but one that is
        not wholly submitted yet goes on, so that a process that was killed pays for nothing twice.
        """
        if config.cache is not False:
            warn_once("cache: runs use it; a job that is submitted does not")
        spec = latest(await asyncio.to_thread(new_spec, self._backend, source, config))
        if resubmit and _is_submitted(folder_of(spec)):
            spec = next_of(spec)
        folder = folder_of(spec)
        with await folder.lock():
            if not folder.exists:
                await asyncio.to_thread(folder.create, source, spec)
            job = self._job(folder, config)
            was_prepared = job.state.attempt > 0
            await advance(job)
            name, status = public_id(folder, job.state), job.info.status
            if was_prepared and status in _INCOMPLETE:
                logger.warning("%s is %s; what it lacks is submitted anew", name, status)
                return await self._submit_missing(job)
            if was_prepared:
                logger.warning("%s is this very job, submitted before: %s", name, status)
            return name

    async def status(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """How far a job is. Shards that wait are submitted as far as the provider takes them."""
        folder = find_folder(batch_id)
        if folder is None:
            return (await self._api(config).retrieve(batch_id)).info
        lock = None if folder.is_read_only else folder.try_lock()
        if lock is None:  # another process works on it, or it is read-only: ask, and save nothing
            job = self._job(folder, config)
            await refresh(job, save=False)
            return job.info
        with lock:
            job = self._job(folder, config)
            await advance(job)
        return job.info

    async def results(
        self, batch_id: str, source: Source | None, config: InferenceConfig
    ) -> InferenceResult:
        """All rows of a job, answered, failed or not yet done, in input order."""
        async with self._locked_job(batch_id, config) as job:
            if source is not None:
                await asyncio.to_thread(job.folder.check_conversations, source)
            await advance(job)
            output = output_of(job, config.output_path)
            output.check_files(map(Path, config.input_paths))
            if source is None and await asyncio.to_thread(output.is_finished, [job.folder.run_id]):
                return output.result()
            with await asyncio.to_thread(ResultJournal, job) as journal:
                await collect(job, journal)
                if source is not None and config.output_path is None:
                    contract_at = partial(job.session.contract_at, source)
                    return await asyncio.to_thread(
                        join_rows, source, partial(outcome_in, journal), contract_at
                    )
                rows = source or job.folder.source
                overwrite = config.overwrite or config.output_path is None
                await asyncio.to_thread(write, job, journal, rows, output, overwrite=overwrite)
            return output.result()

    async def cancel(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """Stop a job; what is answered by then can still be collected."""
        folder = find_folder(batch_id)
        if folder is None:
            return (await self._api(config).cancel(batch_id)).info
        with await folder.lock():
            job = self._job(folder, config)
            await refresh(job)
            await cancel(job)
            return job.info

    async def resubmit(self, batch_id: str, config: InferenceConfig) -> str:
        """Submit what an ended job has no answers to, and return the id of the job."""
        async with self._locked_job(batch_id, config) as job:
            await advance(job)
            if not job.info.is_terminal:
                raise RequestError(
                    f"{batch_id} is {job.info.status}: what it lacks is known once it has ended"
                )
            return await self._submit_missing(job)

    async def list(self, config: InferenceConfig, limit: int | None) -> list[BatchInfo]:
        """The newest jobs first: those of this machine, and what else the provider holds."""
        batches = await self._listed_batches(config, limit)
        infos: list[BatchInfo] = []
        for folder in self._folders(config):
            state = load_state(folder)
            for shard in state.shards:
                batch = batches.pop(shard.ids[-1], None) if shard.ids else None
                if batch is not None and shard.is_running:
                    shard.apply(batch)
            infos.append(job_info(folder, state))
        infos += [batch.info for batch in batches.values()]
        return sorted(infos, key=_created_at, reverse=True)[:limit]

    async def _listed_batches(
        self, config: InferenceConfig, limit: int | None
    ) -> dict[str, ApiBatch]:
        """The newest batches that the provider lists, by id."""
        found: dict[str, ApiBatch] = {}
        async with aclosing(self._api(config).list()) as batches:
            async for batch in batches:
                found[batch.info.id] = batch
                if len(found) == limit:
                    break
        return found

    def _folders(self, config: InferenceConfig) -> Iterator[JobFolder]:
        """The folders of jobs that went to the address of these settings."""
        url = self._backend.session(config).identity.get("url")
        for folder in all_folders():
            spec = folder.spec
            is_of_engine = (spec.kind, spec.engine) == (JobKind.API, self._backend.name)
            if is_of_engine and spec.identity.get("url") == url:
                yield folder

    @asynccontextmanager
    async def _locked_job(self, batch_id: str, config: InferenceConfig) -> AsyncIterator[ApiJob]:
        """A job with its lock held. A batch that another program made gets a folder first."""
        folder = find_folder(batch_id)
        if folder is None:
            folder = await self._adopt(batch_id, config)
        with await folder.lock():
            yield self._job(folder, config)

    async def _adopt(self, batch_id: str, config: InferenceConfig) -> JobFolder:
        """A new folder for a batch that only its provider knows."""
        api = self._api(config)
        batch = await api.retrieve(batch_id)
        folder = JobFolder(root() / batch_id)
        with await folder.lock():
            rows = await adopted.download(api, batch, folder)
            save_state(folder, JobState([Shard.adopt(batch, rows)], attempt=1))
            model = config.model.model_copy(
                update={"model_name": adopted.model_of(folder) or config.model.model_name}
            )
            config = config.model_copy(update={"model": model})
            config = with_api(config, adopted.api_of(batch))
            lines = (line + b"\n" for line in adopted.conversations(folder))
            spec = make_spec(self._backend, config, fingerprint=batch_id, rows=rows)
            folder.create_from_lines(lines, replace(spec, adopted_id=batch_id))
        return folder

    def _job(self, folder: JobFolder, config: InferenceConfig) -> ApiJob:
        return open_job(self._backend, folder, config)

    async def _submit_missing(self, job: ApiJob) -> str:
        """Submit the rows to which a job that has ended has no answer, and return its id.

        Raises UnavailableError while its output is not ready, which may hold those answers.
        """
        with await asyncio.to_thread(ResultJournal, job) as journal:
            await collect(job, journal)
        if job.awaits_output:
            raise UnavailableError(
                f"{public_id(job.folder, job.state)} has ended, and its output is not there yet: "
                "what it lacks is known once it is. Submit again later"
            )
        attempt = job.state.attempt
        await begin_attempt(job)
        if job.state.attempt == attempt:
            logger.warning("%s lacks nothing: all rows have answers", job.folder.id)
        else:
            await advance(job)
        return public_id(job.folder, job.state)

    def _api(self, config: InferenceConfig) -> BatchApi:
        return open_api(self._backend.session(config))


def _is_submitted(folder: JobFolder) -> bool:
    """Whether no part of a job is still to be submitted."""
    state = load_state(folder)
    return state.attempt > 0 and not any(shard.is_waiting for shard in state.current)


def _created_at(info: BatchInfo) -> datetime:
    return info.created_at or datetime.min.replace(tzinfo=UTC)
