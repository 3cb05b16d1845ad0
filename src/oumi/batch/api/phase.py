"""The rows of a run answered by a batch job of its provider.

The job is that of all rows, and so the same each time that the same run is started; the answers
that the run has already are given to it. So a run that was stopped or killed at any moment finds
its job again, and pays for nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from oumi.backends.registry import session_of
from oumi.backends.remote.backend import RemoteBackend
from oumi.batch.api.collect import collect
from oumi.batch.api.handover import Handover, give_answers, has_open_rows
from oumi.batch.api.job import ApiJob
from oumi.batch.api.jobs import is_for_api, missing_settings, new_spec, open_job
from oumi.batch.api.other_samples import check_other_samples
from oumi.batch.api.result_journal import ResultJournal
from oumi.batch.api.shard import ShardState
from oumi.batch.api.state_file import load_state
from oumi.batch.api.submit import advance, begin_attempt, cancel
from oumi.batch.job_folder import JobFolder, folder_of, latest
from oumi.batch.job_spec import JobSpec
from oumi.batch.media import pin_media_folder
from oumi.batch.window import parse_window
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.remote_params import RemoteParams
from oumi.core.types.batch import BatchInfo
from oumi.data.source import Source
from oumi.errors import ConfigError, UnavailableError, UnsupportedError
from oumi.runner.cache.opening import opened_cache
from oumi.runner.events import BatchReported, Listener
from oumi.runner.session import Session
from oumi.runner.stop_signal import RunStoppedError, StopSignal
from oumi.runner.storage.row_store import RowStore

if TYPE_CHECKING:
    from oumi.runner.cache.answers import AnswerCache

_FIRST_POLL_S = 0.5  # each wait is twice as long as the one before; batches take minutes to hours
_USUAL_WINDOW = "24h"
"""A window that every provider takes."""
_USUAL = timedelta(hours=24)


@dataclass
class _PhaseRun:
    """The job of one run, what it takes rows from, and where their answers go."""

    folder: JobFolder
    source: Source
    store: RowStore
    handover: Handover
    info: BatchInfo | None = None
    """What was last known of the job."""
    asks_again: bool = False
    """Whether the job had ended before this run began, and is to be asked for what it lacks."""

    @property
    def has_begun(self) -> bool:
        """Whether a batch may have been started."""
        shards = load_state(self.folder).shards
        return any(shard.state != ShardState.QUEUED for shard in shards)

    @property
    def id(self) -> str:
        """The id of the job for users."""
        return self.info.id if self.info else self.folder.id


class ApiBatchPhase:
    """Waits for the job however it ends, or with `is_auto` until its window is over.

    What has no answer then has failed, or with `is_auto` is left open.
    """

    def __init__(self, backend: RemoteBackend, config: InferenceConfig, *, is_auto: bool):
        config = pin_media_folder(config, is_list=config.input_path is None)
        remote = config.remote_params or RemoteParams()
        self._backend = backend
        self._window = remote.batch_completion_window
        self._longest_poll_s = remote.batch_poll_s
        self._is_auto = is_auto
        self._config = _with_usual_window(config, remote) if is_auto else config
        self._reported = ""

    async def run(
        self,
        source: Source,
        store: RowStore,
        notify: Listener,
        stop: StopSignal,
    ) -> None:
        """Submit the job, or find it again, and take its answers as they come."""
        session = self._backend.session(self._config)
        async with opened_cache(self._config, session.name, session.url) as cache:
            handover = self._handover(store, notify, cache)
            await self._run(source, store, handover, notify, stop)

    async def _run(
        self,
        source: Source,
        store: RowStore,
        handover: Handover,
        notify: Listener,
        stop: StopSignal,
    ) -> None:
        if not await self._is_wanted(notify):
            return
        if not await asyncio.to_thread(has_open_rows, source, store):
            return
        spec = latest(await asyncio.to_thread(new_spec, self._backend, source, self._config))
        await asyncio.to_thread(check_other_samples, spec, source)
        folder = folder_of(spec)
        is_new = not folder.exists or not load_state(folder).attempt
        if is_new:  # one that was paid for goes before the cache
            await asyncio.to_thread(handover.take_cached, source)
            if not await asyncio.to_thread(has_open_rows, source, store):
                return
        await self._begin(folder, spec, source, store)
        run = _PhaseRun(folder, source, store, handover)
        try:
            await self._wait(run, notify, stop)
        except RunStoppedError:
            notify(
                BatchReported(
                    f"{run.id} goes on at {self._backend.name}, and the same command with it; "
                    f"`oumi batch cancel {run.id}` stops it"
                )
            )
            raise

    async def _wait(self, run: _PhaseRun, notify: Listener, stop: StopSignal) -> None:
        for wait_s in _waits(self._longest_poll_s):
            try:
                info, is_done = await self._step(run)
            except UnavailableError as error:  # which must not end the wait for what is submitted
                if not run.has_begun:
                    raise
                notify(BatchReported(f"{run.id}: {error}; asking again"))
            else:
                run.info = info
                self._report(info, notify)
                if is_done:
                    return
            await stop.ends(asyncio.sleep(wait_s))

    async def _is_wanted(self, notify: Listener) -> bool:
        """Raises UnsupportedError where the server has no batch API, unless that is left to us."""
        name = self._backend.name
        missing = missing_settings(self._backend, self._config)
        is_offered = await is_for_api(self._backend, self._config, None)
        if not self._is_auto:
            if missing:
                raise ConfigError(f"{name}: set {' and '.join(missing)}, which a batch needs")
            if not is_offered:
                raise UnsupportedError(
                    f"{name}: the server has no batch API, which `batch: true` asks for"
                )
            return True
        reason = "" if is_offered else "the server has no batch API"
        reason = f"a batch needs {' and '.join(missing)}" if missing else reason
        reason = reason or self._why_not_cheaper(self._backend.session(self._config))
        if reason:
            notify(BatchReported(f"batch: auto asks {name} one by one: {reason}"))
        return not reason

    def _why_not_cheaper(self, session: Session) -> str:
        """Why a batch is not known to cost less; empty where it does."""
        if session.price is None or session.price.input is None:
            model = session.config.model.model_name
            return f"no price of {model} is known, so that none can be lower"
        return "" if self._price_share < 1 else "a batch costs as much there"

    @property
    def _price_share(self) -> float:
        limits = self._backend.provider.batch
        assert limits is not None  # noqa: S101  for the type checker
        return limits.price_share

    def _handover(self, store: RowStore, notify: Listener, cache: AnswerCache | None) -> Handover:
        session = session_of(self._backend, self._config)
        share = self._price_share if session.price else 1.0
        return Handover(session, store, notify, share, cache)

    async def _begin(
        self, folder: JobFolder, spec: JobSpec, source: Source, store: RowStore
    ) -> None:
        """Make the job. One that was not prepared yet is given the run's answers."""
        with await folder.lock():
            if not folder.exists:
                await asyncio.to_thread(folder.create, source, spec)
            job = open_job(self._backend, folder, self._config)
            if not job.state.attempt:
                await asyncio.to_thread(give_answers, job, source, store)

    async def _step(self, run: _PhaseRun) -> tuple[BatchInfo, bool]:
        """Go on with the job, and take what has come of it. Returns how far it is, and whether
        the run has all that it waits for.
        """
        with await run.folder.lock():
            job = open_job(self._backend, run.folder, self._config)
            was_over = job.state.attempt > 0 and job.info.is_terminal
            await advance(job)
            if self._is_overdue(job):
                await cancel(job)
            if run.info is None:
                run.asks_again = was_over and not self._is_auto
            if run.info is None or job.has_results or job.info.is_terminal:
                await self._take(job, run, failures=not (self._is_auto or run.asks_again))
            if run.asks_again and job.is_over:  # not before, as answers may still follow
                return job.info, not await self._ask_again(job, run)
            return job.info, job.is_over

    async def _ask_again(self, job: ApiJob, run: _PhaseRun) -> bool:
        """Submit what a job that is over has no answers to, and say whether there is any of it."""
        run.asks_again = False
        if not await asyncio.to_thread(has_open_rows, run.source, run.store):
            return False
        await begin_attempt(job)
        await advance(job)
        return True

    async def _take(self, job: ApiJob, run: _PhaseRun, *, failures: bool) -> None:
        """Take the answers that are there, and with `failures`, once the job is over, also why
        rows have none.
        """
        with await asyncio.to_thread(ResultJournal, job) as journal:
            await collect(job, journal)
            take = partial(run.handover.take, run.source, journal)
            await asyncio.to_thread(take, failures=failures and job.is_over)

    def _is_overdue(self, job: ApiJob) -> bool:
        """Whether the time is over that `auto` waits for a job, which has not ended."""
        if not self._is_auto or job.state.cancelled or job.info.is_terminal:
            return False
        return time.time() > job.folder.spec.created + parse_window(self._window).total_seconds()

    def _report(self, info: BatchInfo, notify: Listener) -> None:
        failed = f", {info.failed_requests:,} failed" if info.failed_requests else ""
        done = f"{info.completed_requests:,} of {info.total_requests:,} answered{failed}"
        text = f"{info.id} at {self._backend.name}: {info.status}, {done}"
        if text != self._reported:
            self._reported = text
            notify(BatchReported(text))


def _waits(longest_s: float) -> Iterator[float]:
    """Seconds between two looks at a job."""
    wait_s = min(_FIRST_POLL_S, longest_s)
    while True:
        yield wait_s
        wait_s = min(2 * wait_s, longest_s)


def _with_usual_window(config: InferenceConfig, remote: RemoteParams) -> InferenceConfig:
    """The settings with a window that the provider takes, where the run itself waits less long."""
    if parse_window(remote.batch_completion_window) >= _USUAL:
        return config
    usual = remote.model_copy(update={"batch_completion_window": _USUAL_WINDOW})
    return config.model_copy(update={"remote_params": usual})
