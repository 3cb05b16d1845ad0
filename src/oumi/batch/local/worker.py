"""`python -m oumi.batch.local.worker FOLDER [LOCK]`: the process that runs a job on this machine.

It outlives the process that started it, and logs to `worker.log` in the job's folder. It may be
killed at any moment; the next one goes on from the journal. `LOCK` is the `inheritance` of the
job's lock if that was handed over; the secrets are then on standard input.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import orjson

from oumi.backends.engine_choice import build_backend
from oumi.batch.job_folder import JobFolder
from oumi.batch.local.job_spec import job_session
from oumi.batch.local.process import GRACE_S, clear_holder, write_holder
from oumi.batch.local.state import LocalState, read_state, write_state
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.types.batch import BatchStatus
from oumi.errors import ConfigError, OumiError, StorageError
from oumi.runner import loop
from oumi.runner.embedding_job import EmbeddingJob
from oumi.runner.events import Event, RunStarted
from oumi.runner.inference_job import InferenceJob
from oumi.runner.job import log_waits
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.lock import Lock

_WATCH_EVERY_S = 0.2  # how late a cancellation may be noticed
_SAVE_EVERY_S = 1.0  # each save syncs a file to the disk, and nobody needs newer counts


class Worker:
    """Runs one job, while a thread saves how far it is and watches for a reason to stop."""

    def __init__(self, folder: JobFolder, lock: Lock, config: InferenceConfig):
        self._folder = folder
        self._lock = lock
        self._config = config
        self._stats = RunStats()
        self._began: float | None = None  # in seconds since the epoch
        self._job: InferenceJob | EmbeddingJob | None = None
        self._stop_status: BatchStatus | None = None  # IN_PROGRESS: stops, and may be resumed
        self._save_lock = threading.Lock()
        self._saved = read_state(folder)
        self._saved_s = time.monotonic()
        self._has_ended = False

    def run(self) -> None:
        """Answer the rows that have no answer, and save how the job ended."""
        threading.Thread(target=self._watch, name="oumi-watch", daemon=True).start()
        try:
            self._answer_all()
        except Exception as error:
            logging.exception("the job ends here")
            is_known = isinstance(error, OumiError)
            self._end(BatchStatus.FAILED, str(error) if is_known else repr(error))

    def terminate(self, _: int, __: FrameType | None) -> None:
        """SIGTERM: stop once what is in flight has ended. The job can be resumed."""
        self._stop_status = self._stop_status or BatchStatus.IN_PROGRESS

    def _answer_all(self) -> None:
        with closing(build_backend(self._config)) as backend:
            embeds = self._folder.spec.embeds
            session = job_session(backend, self._config, embeds=embeds)
            _check_identity(session, self._folder)
            kind = EmbeddingJob if embeds else InferenceJob
            self._job = kind(session, listener=self._on_event)
            loop.call(self._job.run())
            # Before the backend is closed, which may take long.
            self._end(self._stop_status or BatchStatus.COMPLETED)

    def _on_event(self, event: Event) -> None:
        self._stats.update(event)
        log_waits(event)
        if isinstance(event, RunStarted):
            self._began = time.time()

    def _watch(self) -> NoReturn:
        loop.leave_signals_to_main()
        while (status := self._stop_status or self._reason_to_stop()) is None:
            self._save_progress()
            time.sleep(_WATCH_EVERY_S)
        self._stop_status = status
        if self._job is not None:
            loop.submit(_call(self._job.stop))
            time.sleep(GRACE_S)
        self._end(status)
        _kill_own_group()

    def _reason_to_stop(self) -> BatchStatus | None:
        if self._folder.cancel_path.exists():
            return BatchStatus.CANCELLED
        return BatchStatus.EXPIRED if self._saved.is_expired else None

    def _current_state(self) -> LocalState:
        """How far the job is now."""
        if self._began is None:
            return self._saved
        return replace(
            self._saved,
            status=BatchStatus.IN_PROGRESS,
            started=self._saved.started or self._began,
            done=self._stats.finished,
            failed=self._stats.failed,
            starts=0 if self._stats.done else self._saved.starts,
        )

    def _save_progress(self) -> None:
        """Save how far the job is: a new status at once, new counts once a second."""
        state = self._current_state()
        is_due = time.monotonic() >= self._saved_s + _SAVE_EVERY_S
        if state.status != self._saved.status or (is_due and state != self._saved):
            # A full disk is reported by the run, as soon as it cannot record an answer.
            with self._save_lock, contextlib.suppress(StorageError):
                if not self._has_ended:
                    self._save(state)

    def _end(self, status: BatchStatus, *errors: str) -> None:
        """Save how the job ended. Only the first call counts."""
        with self._save_lock:
            if self._has_ended:
                return
            self._has_ended = True
            state = self._current_state()
            self._save(state.end(status, *errors) if status.is_terminal else state)

    def _save(self, state: LocalState) -> None:
        self._lock.check()
        write_state(self._folder, state)
        self._saved, self._saved_s = state, time.monotonic()


def main() -> None:
    """Run a job, unless another process does."""
    folder = JobFolder(Path(sys.argv[1]))
    lock, secrets = (
        _inherited(folder, sys.argv[2]) if len(sys.argv) > 2 else (folder.try_lock(), {})
    )
    if lock is None:
        sys.exit(f"{folder.id}: {folder.holder} works on it")
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    with lock:
        write_holder(lock)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        logging.info("process %d works on %s", os.getpid(), folder.id)
        worker = Worker(folder, lock, _config(folder, secrets))
        signal.signal(signal.SIGTERM, worker.terminate)
        # The process that started this one may have blocked them, and masks are inherited.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, loop.SIGNALS)
        worker.run()
        clear_holder(lock)


def _inherited(folder: JobFolder, text: str) -> tuple[Lock | None, dict[str, Any]]:
    return Lock.inherit(folder.lock_path, text), orjson.loads(sys.stdin.buffer.read())


def _config(folder: JobFolder, secrets: dict[str, Any]) -> InferenceConfig:
    """The job's settings, with its files and the secrets that are not in them."""
    return folder.spec.config.merge(
        InferenceConfig(
            engine=folder.spec.engine,
            remote_params=RemoteParams(**secrets) if secrets else None,
            input_path=str(folder.input_path),
            output_path=str(folder.answers_path),
            overwrite=True,  # the folder is the job's own
        )
    )


def _check_identity(session: Session, folder: JobFolder) -> None:
    if session.job_keys.settings_key != folder.spec.settings_key:
        raise ConfigError(
            f"who answers is not who answered when the job was submitted: {session.identity} "
            f"instead of {folder.spec.identity}. Submit the conversations again"
        )


async def _call(action: Callable[[], None]) -> None:
    action()


def _kill_own_group() -> NoReturn:
    """End without waiting for requests in flight, and leave no process of an engine behind."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
    raise AssertionError("a process outlived SIGKILL")


if __name__ == "__main__":
    main()
