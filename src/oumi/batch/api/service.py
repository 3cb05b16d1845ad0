"""Batch jobs at a provider that has an API for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from oumi.backends.remote.api_choice import api_of_identity, with_api
from oumi.backends.remote.backend import RemoteBackend
from oumi.batch.api import adopted
from oumi.batch.api.collect import collect, output_of, write
from oumi.batch.api.job import ApiJob
from oumi.batch.api.job_state import JobState, job_info, public_id
from oumi.batch.api.providers import open_api
from oumi.batch.api.providers.base import ApiBatch, BatchApi
from oumi.batch.api.providers.shared import output_may_follow
from oumi.batch.api.result_journal import ResultJournal
from oumi.batch.api.shard import Shard, ShardState
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
from oumi.batch.job_spec import JobKind, JobSpec, count_rows, new_job_spec
from oumi.batch.media import media_settings
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.logs import logger, warn_once
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source
from oumi.errors import ConfigError, InputError, RequestError, UnavailableError
from oumi.runner.storage.memory import join_rows
from oumi.runner.storage.row_store import always
from oumi.runner.storage.snapshot import outcome_in

_INCOMPLETE = frozenset({BatchStatus.FAILED, BatchStatus.EXPIRED, BatchStatus.CANCELLED})


async def is_for_api(backend: RemoteBackend, config: InferenceConfig, batch_id: str | None) -> bool:
    """Whether the API works on a job, or would on a new one, rather than this machine.

    A server whose address the user names may have no batch API, and so is asked.
    """
    if backend.provider.batch is None:
        return False
    folder = find_folder(batch_id) if batch_id else None
    if folder is not None:
        return folder.spec.kind == JobKind.API
    session = backend.session(config)
    if session.address.is_endpoint and batch_id is None:
        return False
    if backend.provider.url is not None:
        return True
    return await open_api(session).is_offered()


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
            warn_once("cache: batch jobs of an API neither read it nor fill it")
        spec = latest(await asyncio.to_thread(self._new_spec, source, config))
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
                    contract = always(job.session.contract)
                    return await asyncio.to_thread(
                        join_rows, source, partial(outcome_in, journal), contract
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
            spec = self._spec(config, fingerprint=batch_id, rows=rows)
            folder.create_from_lines(lines, replace(spec, adopted_id=batch_id))
        return folder

    def _job(self, folder: JobFolder, config: InferenceConfig) -> ApiJob:
        """A job as it was submitted, reached as the settings of this call say."""
        spec = folder.spec
        if (spec.kind, spec.engine) != (JobKind.API, self._backend.name):
            name = self._backend.name
            raise InputError(f"{folder.id} is a job of {spec.engine}, not of {name}")
        own = {"model": spec.config.model, "generation": spec.config.generation}
        config = config.model_copy(update=own | media_settings(spec, config))
        config = with_api(config, api_of_identity(self._backend.provider, spec.identity))
        session = self._backend.session(config)
        url = session.identity.get("url")
        if url != spec.identity.get("url"):
            raise ConfigError(
                f"{folder.id} was submitted to {spec.identity.get('url')}, and this engine asks "
                f"{url}: set remote_params.api_url"
            )
        return ApiJob(folder, load_state(folder), session, open_api(session))

    async def _submit_missing(self, job: ApiJob) -> str:
        """Submit the rows to which a job that has ended has no answer, and return its id.

        Raises UnavailableError while its output is not ready, which may hold those answers.
        """
        with await asyncio.to_thread(ResultJournal, job) as journal:
            await collect(job, journal)
        if any(_may_get_output(shard) for shard in job.state.shards):
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

    def _new_spec(self, source: Source, config: InferenceConfig) -> JobSpec:
        """What is to be done. Reads the input and checks it."""
        rows = count_rows(source, config)
        return self._spec(config, fingerprint=source.fingerprint(), rows=rows)

    def _spec(self, config: InferenceConfig, *, fingerprint: str, rows: int) -> JobSpec:
        session = self._backend.session(config)
        return new_job_spec(session, kind=JobKind.API, fingerprint=fingerprint, rows=rows)

    def _api(self, config: InferenceConfig) -> BatchApi:
        return open_api(self._backend.session(config))


def _is_submitted(folder: JobFolder) -> bool:
    """Whether no part of a job is still to be submitted."""
    state = load_state(folder)
    return state.attempt > 0 and not any(shard.is_waiting for shard in state.current)


def _may_get_output(shard: Shard) -> bool:
    """Whether answers may follow of rows that have none here."""
    return shard.state == ShardState.ENDED and (not shard.info or output_may_follow(shard.info))


def _created_at(info: BatchInfo) -> datetime:
    return info.created_at or datetime.min.replace(tzinfo=UTC)
