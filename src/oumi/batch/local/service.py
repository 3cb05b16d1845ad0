"""Batch jobs on this machine: for engines whose model is here, and for APIs without batches.

Each job has a process of its own (worker.py), which holds the job's lock as long as it lives. A
caller who finds the lock free takes it, and resumes the job or writes down that it has ended
(lifecycle.py). None of this needs the engine; only submitting does.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

from oumi.backends.base import Backend
from oumi.backends.registry import find_engine
from oumi.backends.remote.backend import price_of
from oumi.batch.job_folder import (
    JobFolder,
    all_folders,
    find_folder,
    folder_of,
    latest,
    next_of,
)
from oumi.batch.job_spec import JobKind, JobSpec
from oumi.batch.local import process
from oumi.batch.local.job_spec import (
    Secrets,
    find_secrets,
    is_same_model,
    make_spec,
    pin_address,
)
from oumi.batch.local.lifecycle import begin_attempt, end_if_over, resume_or_end
from oumi.batch.local.state import LocalState, read_snapshot, read_state
from oumi.batch.media import with_media_settings
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source
from oumi.errors import InputError, RequestError, UnavailableError, UnsupportedError
from oumi.runner.cost import Price
from oumi.runner.storage.lock import Lock
from oumi.runner.storage.memory import join_rows
from oumi.runner.storage.output import Output
from oumi.runner.storage.snapshot import outcome_in

_LOCK_POLL_S = 0.05
# Longer than a caller holds the lock to read the state: a lock that is held longer is a worker's.
_READING_S = 0.5
# A worker leaves by itself within GRACE_S; two seconds more are for writing its state.
_KILL_AFTER_S = process.GRACE_S + 2
# A worker that loads a model has nothing in flight, and may not react for minutes.
_KILL_LOADING_AFTER_S = 1.0
# Long after SIGKILL: only a process that hangs in the kernel or on another machine is left by then.
_GIVE_UP_S = 30.0


class LocalJobs:
    """The jobs of one engine. Without an engine those of all; then none can be submitted."""

    def __init__(self, backend: Backend | None = None, unknown_class: str | None = None):
        """`unknown_class` names an engine's class that the process of a job could not make."""
        self._backend = backend
        self._unknown_class = unknown_class

    async def submit(
        self,
        source: Source,
        config: InferenceConfig,
        *,
        resubmit: bool = False,
        embeds: bool = False,
    ) -> str:
        """Start a job in a process of its own, and return its id. `embeds`: its rows are embedded,
        and their vectors are read by `read_embeddings`.
        """
        if self._backend is None:
            raise UnsupportedError("a job is submitted by an engine")
        if source.has_settings:
            raise InputError(
                f"{source.name}: its rows have settings of their own, which a batch job on this "
                "machine cannot keep: run it with infer, or set settings_column to an empty text"
            )
        if self._unknown_class is not None:
            raise UnsupportedError(
                f"{self._unknown_class}: a job's own process can only make the engines of "
                "oumi.inference"
            )
        config = pin_address(self._backend, config)
        made = await asyncio.to_thread(make_spec, self._backend, source, config, embeds=embeds)
        spec = latest(made)
        if resubmit and folder_of(spec).exists:
            spec = next_of(spec)
        folder = folder_of(spec)
        lock = await _try_lock(folder)
        if lock is None:
            logger.warning("%s is this very job, and is being worked on", folder.id)
            return folder.id
        with lock:
            await asyncio.to_thread(_submit, folder, lock, source, spec, find_secrets(config))
        return folder.id

    async def status(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """How far a job is. One on which no process works is resumed.

        Raises AccessError if it cannot go on without a key that it was given inline.
        """
        folder = self._folder(batch_id)
        state = read_state(folder)
        if folder.is_read_only:
            return read_info(folder)
        if not state.has_ended and time.time() > state.expires + _KILL_AFTER_S:
            with await _lock_from_worker(folder, _READING_S):  # it should have ended the job
                return _info(folder, end_if_over(folder))
        return await asyncio.to_thread(_resume, folder, self._secrets_for(folder, config))

    async def results(
        self, batch_id: str, source: Source | None, config: InferenceConfig
    ) -> InferenceResult:
        """All rows of a job; those that were not answered are failures that say why."""
        folder = self._folder(batch_id)
        if folder.spec.embeds:
            raise InputError(f"{batch_id} has vectors, and no answers: {folder.answers_path}")
        if source is not None:
            await asyncio.to_thread(folder.check_conversations, source)
        return await asyncio.to_thread(_results, folder, source, config)

    async def cancel(self, batch_id: str, config: InferenceConfig) -> BatchInfo:
        """Stop a job within seconds. What is in flight may end, and all answers are kept."""
        folder = self._folder(batch_id)
        state = read_state(folder)
        if state.has_ended:
            return _info(folder, state)
        folder.request_cancellation()
        is_loading = state.status is BatchStatus.VALIDATING
        kill_after_s = _KILL_LOADING_AFTER_S if is_loading else _KILL_AFTER_S
        with await _lock_from_worker(folder, kill_after_s):
            return _info(folder, await asyncio.to_thread(end_if_over, folder))

    async def list(self, config: InferenceConfig, limit: int | None) -> list[BatchInfo]:
        """The newest jobs first. None is resumed."""
        folders = [folder for folder in all_folders() if self._is_mine(folder)]
        return [await asyncio.to_thread(read_info, folder) for folder in folders[:limit]]

    async def resubmit(self, batch_id: str, config: InferenceConfig) -> str:
        """Ask again for what an ended job has no answers to; it keeps its id and its settings."""
        folder = self._folder(batch_id)
        lock = await _try_lock(folder)
        if lock is None:
            raise _not_ended(folder)
        with lock:
            folder.write_spec(with_media_settings(folder.spec, config))
            await asyncio.to_thread(_resubmit, folder, lock, self._secrets_for(folder, config))
        return folder.id

    def _folder(self, batch_id: str) -> JobFolder:
        folder = find_folder(batch_id)
        if folder is None:
            raise InputError(f"no batch job {batch_id!r} on this machine; list_batches names them")
        if folder.spec.kind != JobKind.LOCAL:
            raise InputError(f"{batch_id} is a job of {folder.spec.engine}; ask that engine")
        return folder

    def _is_mine(self, folder: JobFolder) -> bool:
        is_of_engine = self._backend is None or self._backend.name == folder.spec.engine
        return folder.spec.kind == JobKind.LOCAL and is_of_engine

    def _secrets_for(self, folder: JobFolder, config: InferenceConfig) -> Secrets:
        """The secrets of the call, unless its engine has another model or another address."""
        if not folder.spec.has_secrets:
            return {}
        is_of_job = self._backend is None or is_same_model(self._backend, config, folder.spec)
        return find_secrets(config) if is_of_job else {}


def read_info(folder: JobFolder) -> BatchInfo:
    """How far a job is. Starts no process."""
    if folder.is_read_only:
        return _info(folder, read_state(folder), "read-only")
    lock = folder.try_lock()
    if lock is None:
        return _info(folder, read_state(folder), "running")
    with lock:
        return _info(folder, end_if_over(folder))


def _resume(folder: JobFolder, secrets: Secrets) -> BatchInfo:
    """How far a job is, once a process works on it, unless it has ended."""
    lock = folder.try_lock()
    if lock is None:
        return _info(folder, read_state(folder), "running")
    with lock:
        return _info(folder, resume_or_end(folder, lock, secrets), "running")


async def _try_lock(folder: JobFolder) -> Lock | None:
    """The lock of a job, or None where a process works on it."""
    give_up_s = time.monotonic() + _READING_S
    while (lock := folder.try_lock()) is None:
        if folder.exists and time.monotonic() > give_up_s:
            if read_state(folder).has_ended:  # its process is about to leave
                return await _lock_from_worker(folder, _KILL_AFTER_S)
            return None
        await asyncio.sleep(_LOCK_POLL_S)
    return lock


async def _lock_from_worker(folder: JobFolder, kill_after_s: float) -> Lock:
    """The lock of a job whose process is to stop, and is killed if it does not.

    Raises UnavailableError.
    """
    began_s = time.monotonic()
    while (lock := folder.try_lock()) is None:
        waited_s = time.monotonic() - began_s
        if waited_s > _GIVE_UP_S:
            raise UnavailableError(
                f"{folder.id}: its process does not stop: {folder.holder}; see {folder.log_path}"
            )
        if waited_s >= kill_after_s:
            process.kill(folder)
        await asyncio.sleep(_LOCK_POLL_S)
    return lock


def _submit(folder: JobFolder, lock: Lock, source: Source, spec: JobSpec, secrets: Secrets) -> None:
    state = end_if_over(folder) if folder.exists else None
    if state is not None:
        folder.write_spec(with_media_settings(folder.spec, spec.config))
    if state is not None and state.status is BatchStatus.COMPLETED:
        logger.warning("%s is this very job, done before: %d failed", folder.id, state.failed)
    elif state is not None and not state.has_ended:
        resume_or_end(folder, lock, secrets)
    else:
        folder.create(source, spec)
        begin_attempt(folder, lock, secrets, done=state.done if state else 0)


def _resubmit(folder: JobFolder, lock: Lock, secrets: Secrets) -> None:
    state = end_if_over(folder)
    if not state.has_ended:
        raise _not_ended(folder)
    if state.done == state.total:
        logger.warning("%s lacks nothing: all rows have answers", folder.id)
    else:
        begin_attempt(folder, lock, secrets, done=state.done)


def _not_ended(folder: JobFolder) -> RequestError:
    return RequestError(
        f"{folder.id} has not ended: what it lacks is known once it has. cancel_batch ends it"
    )


def _info(folder: JobFolder, state: LocalState, unless_ended: str = "stopped") -> BatchInfo:
    return state.info(folder, "ended" if state.has_ended else unless_ended)


def _results(folder: JobFolder, source: Source | None, config: InferenceConfig) -> InferenceResult:
    """All rows: written to a file if a path is named, joined to the caller's conversations if these
    are given, or else read from the job's folder one by one as they are used.
    """
    state, own, path = read_state(folder), folder.output, config.output_path
    is_done = state.status is BatchStatus.COMPLETED and own.path.exists() and own.run_path.exists()
    if is_done and path is None and source is None:
        return own.result()
    snapshot = read_snapshot(folder, state)
    if path is not None:
        output, price = Output(Path(path)), _price(folder.spec)
        output.check_files(map(Path, config.input_paths))
        output.check_replaceable(len(snapshot.answered), overwrite=config.overwrite)
        rows = source or folder.source
        made_by = folder.spec.made_by
        output.write(
            rows, snapshot, folder.run_id, price, {}, snapshot.contract_at, made_by=made_by
        )
        return output.result()
    if source is not None:
        return join_rows(source, partial(outcome_in, snapshot), snapshot.contract_at)
    return snapshot.result(folder.source)


def _price(spec: JobSpec) -> Price | None:
    """What tokens cost; None where they cost nothing."""
    provider = find_engine(spec.engine).provider
    return None if provider is None else price_of(provider, spec.config)
