"""Batch jobs at a provider that has an API for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from oumi.backends.remote.provider import Provider
from oumi.batch.api import adopted
from oumi.batch.api.collect import ResultJournal, collect, output_of, write
from oumi.batch.api.endpoint import Endpoint
from oumi.batch.api.providers import ApiBatch
from oumi.batch.api.state import Shard, State, describe, public_id
from oumi.batch.api.submit import ApiJob, advance, begin_attempt, cancel, refresh
from oumi.batch.job_folder import (
    JobFolder,
    all_folders,
    find_folder,
    folder_of,
    root,
)
from oumi.batch.job_spec import JobSpec, count_rows, identity_without_keys, intent_of
from oumi.core.configs import InferenceConfig
from oumi.core.configs.base import logger
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.completion import InferenceResult
from oumi.data.sources import Source
from oumi.errors import ConfigError, InputError, RequestError
from oumi.runner.storage.snapshot import join_rows

KIND = "api"

_CAME_TO_NOTHING = frozenset({BatchStatus.FAILED, BatchStatus.EXPIRED, BatchStatus.CANCELLED})


class Engine(Protocol):
    """What batch jobs need of an engine."""

    @property
    def name(self) -> str:
        """The engine's name."""
        ...

    def identity(self, config: InferenceConfig) -> Mapping[str, Any]:
        """What besides the settings shapes an answer."""
        ...

    @property
    def provider(self) -> Provider:
        """The row of its API."""
        ...

    def endpoint(self, config: InferenceConfig) -> Endpoint:
        """The way to the batch API under these settings."""
        ...


async def is_for_api(engine: Engine, config: InferenceConfig, batch_id: str | None) -> bool:
    """Whether a job, or a new one, is the API's rather than this machine's to work off.

    A server whose address is the user's to name may have no batch API; it is asked.
    """
    if engine.provider.batch is None:
        return False
    folder = find_folder(batch_id) if batch_id else None
    if folder is not None:
        return folder.intent.kind == KIND
    return engine.provider.url is not None or await engine.endpoint(config).api.is_offered()


class ApiBatches:
    """The jobs of one engine. Each method looks at the folder first, and then at the provider."""

    def __init__(self, engine: Engine):
        self._engine = engine

    async def submit(self, source: Source, config: InferenceConfig) -> str:
        """Submit a job, once however often the same call is made, and return its id."""
        intent = await asyncio.to_thread(self._intent, source, config)
        folder = folder_of(intent.settings_key, intent.fingerprint)
        with await folder.lock():
            is_new = not folder.exists
            if is_new:
                await asyncio.to_thread(folder.make, source, intent)
            job = self._job(folder, config)
            was_prepared = job.state.attempt > 0
            await advance(job)
            name = public_id(folder, job.state)
            if was_prepared and job.info.status in _CAME_TO_NOTHING:
                logger.warning("%s is %s; what it lacks is submitted anew", name, job.info.status)
                return await self._renew(job)
            if was_prepared:
                logger.warning("%s is this very job, submitted before: %s", name, job.info.status)
            return public_id(folder, job.state)

    async def status(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """How far a job is. Parts that wait are submitted as far as there is room."""
        folder = find_folder(batch_id)
        if folder is None:
            return (await self._engine.endpoint(config).api.retrieve(batch_id)).info
        lock = folder.try_lock()
        if lock is None:  # somebody is at it: look, and change nothing
            job = self._job(folder, config)
            await refresh(job, keep=False)
            return job.info
        with lock:
            job = self._job(folder, config)
            await advance(job)
        return job.info

    async def results(
        self, batch_id: str, source: Source | None, config: InferenceConfig
    ) -> InferenceResult:
        """All rows of a job, answered, failed or not yet done, in input order."""
        async with self._at_hand(batch_id, config) as job:
            if source is not None:
                await asyncio.to_thread(job.folder.check_conversations, source)
            await advance(job)
            output = output_of(job, config.output_path)
            if source is None and await asyncio.to_thread(output.is_finished, job.folder.run_id):
                return output.result()
            with await asyncio.to_thread(ResultJournal, job) as book:
                await collect(job, book)
                if source is not None and config.output_path is None:
                    return await asyncio.to_thread(join_rows, book, source, job.endpoint.contract)
                rows = source or job.folder.source
                overwrite = config.overwrite or config.output_path is None
                await asyncio.to_thread(write, job, book, rows, output, overwrite=overwrite)
            return output.result()

    async def cancel(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """Stop a job; what is answered by then can still be collected."""
        folder = find_folder(batch_id)
        if folder is None:
            return (await self._engine.endpoint(config).api.cancel(batch_id)).info
        with await folder.lock():
            job = self._job(folder, config)
            await refresh(job)
            await cancel(job)
            return job.info

    async def resubmit(self, batch_id: str, config: InferenceConfig) -> str:
        """Submit what an ended job has no answers to, and return the id of the job."""
        async with self._at_hand(batch_id, config) as job:
            await advance(job)
            if not job.info.is_terminal:
                raise RequestError(
                    f"{batch_id} is {job.info.status}: what it lacks is known once it has ended"
                )
            return await self._renew(job)

    async def list(self, config: InferenceConfig, limit: int | None) -> list[BatchInfo]:
        """The newest jobs first: those of this machine, and what else the provider holds."""
        told = await self._told(config, limit)
        infos: list[BatchInfo] = []
        for folder in self._folders(config):
            state = State.load(folder)
            for part in state.parts:
                batch = told.pop(part.ids[-1], None) if part.ids else None
                if batch is not None and part.is_running:
                    part.take(batch)
            infos.append(describe(folder, state))
        infos += [batch.info for batch in told.values()]
        return sorted(infos, key=_age, reverse=True)[:limit]

    async def _told(self, config: InferenceConfig, limit: int | None) -> dict[str, ApiBatch]:
        """What the provider lists, as far as it is asked for."""
        told: dict[str, ApiBatch] = {}
        async with aclosing(self._engine.endpoint(config).api.list()) as batches:
            async for batch in batches:
                told[batch.info.id] = batch
                if len(told) == limit:
                    break
        return told

    def _folders(self, config: InferenceConfig) -> Iterator[JobFolder]:
        """The folders of jobs that went where these settings lead."""
        url = identity_without_keys(self._engine.identity(config)).get("url")
        for folder in all_folders():
            intent = folder.intent
            is_api = (intent.kind, intent.engine) == (KIND, self._engine.name)
            if is_api and intent.identity.get("url") == url:
                yield folder

    @asynccontextmanager
    async def _at_hand(self, batch_id: str, config: InferenceConfig) -> AsyncIterator[ApiJob]:
        """A job under its lock; one that another program made gets a folder here."""
        folder = find_folder(batch_id)
        if folder is None:
            folder = await self._adopt(batch_id, config)
        with await folder.lock():
            yield self._job(folder, config)

    async def _adopt(self, batch_id: str, config: InferenceConfig) -> JobFolder:
        """A folder for a batch that is only known to its provider."""
        endpoint = self._engine.endpoint(config)
        batch = await endpoint.api.retrieve(batch_id)
        folder = JobFolder(root() / batch_id)
        with await folder.lock():
            rows = await adopted.download(endpoint.api, batch, folder)
            part = Shard(batch_id, 0, rows - 1, rows)
            part.take(batch)
            State([part], attempt=1).save(folder)
            model = config.model.model_copy(
                update={"model_name": adopted.model_of(folder) or config.model.model_name}
            )
            config = config.model_copy(update={"model": model})
            intent = intent_of(self._engine, config, KIND, batch_id, rows)
            folder.make_from(
                (line + b"\n" for line in adopted.conversations(folder)),
                replace(intent, foreign_id=batch_id),
            )
        return folder

    def _job(self, folder: JobFolder, config: InferenceConfig) -> ApiJob:
        """A job as it was submitted, reached as the settings of this call say."""
        intent = folder.intent
        if (intent.kind, intent.engine) != (KIND, self._engine.name):
            raise InputError(f"{folder.id} is a job of {intent.engine}, not of {self._engine.name}")
        own = intent.config
        config = config.model_copy(update={"model": own.model, "generation": own.generation})
        url = identity_without_keys(self._engine.identity(config)).get("url")
        if url != intent.identity.get("url"):
            raise ConfigError(
                f"{folder.id} was submitted to {intent.identity.get('url')}, and this engine asks "
                f"{url}: set remote_params.api_url"
            )
        return ApiJob(folder, State.load(folder), self._engine.endpoint(config))

    async def _renew(self, job: ApiJob) -> str:
        """Submit what a job that has ended has no answers to."""
        with await asyncio.to_thread(ResultJournal, job) as book:
            await collect(job, book)
        attempt = job.state.attempt
        await begin_attempt(job)
        if job.state.attempt == attempt:
            logger.warning("%s lacks nothing: all rows have answers", job.folder.id)
        else:
            await advance(job)
        return public_id(job.folder, job.state)

    def _intent(self, source: Source, config: InferenceConfig) -> JobSpec:
        """What is to be done. Reads the input and checks it."""
        rows = count_rows(source, config)
        return intent_of(self._engine, config, KIND, source.fingerprint(), rows)


def _age(info: BatchInfo) -> datetime:
    return info.created_at or datetime.min.replace(tzinfo=UTC)
