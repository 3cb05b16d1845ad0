"""`python -m oumi.batch.local.worker FOLDER [LOCK]`: works a job on this machine off.

The process outlives whoever started it. Its log is `worker.log` in the job's folder. It may be
killed at any moment; the next one goes on from the journal. `LOCK` is the open file of the job's
lock where that was handed over; the secrets are then on standard input.
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

from oumi.backends.registry import build_backend
from oumi.batch.job_folder import JobFolder, Lock
from oumi.batch.local.process import GRACE_S, sign, unsign
from oumi.batch.local.state import LocalState, read_state, write_state
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.types.batch import BatchStatus
from oumi.errors import ConfigError, OumiError, StorageError
from oumi.runner import loop
from oumi.runner.events import Event, RunStarted
from oumi.runner.job import Job
from oumi.runner.session import Session
from oumi.runner.stats import RunStats

_LOOK_EVERY_S = 0.2
_WRITE_EVERY_S = 1.0


class Worker:
    """Works one job off, while a thread writes down how far it is and looks whether to stop."""

    def __init__(self, folder: JobFolder, config: InferenceConfig):
        self._folder = folder
        self._config = config
        self._stats = RunStats()
        self._began: float | None = None
        self._job: Job | None = None
        self._stopping: BatchStatus | None = None
        self._writing = threading.Lock()
        self._written = read_state(folder)
        self._written_s = time.monotonic()
        self._has_ended = False

    def run(self) -> None:
        """Do what is left to do, and write down how it ended."""
        threading.Thread(target=self._watch, name="oumi-watch", daemon=True).start()
        try:
            self._answer_all()
        except Exception as error:
            logging.exception("the job ends here")
            is_known = isinstance(error, OumiError)
            self._end(BatchStatus.FAILED, str(error) if is_known else repr(error))

    def terminate(self, _: int, __: FrameType | None) -> None:
        """SIGTERM: what is in flight may end. The job goes on when somebody asks for it."""
        self._stopping = self._stopping or BatchStatus.IN_PROGRESS

    def _answer_all(self) -> None:
        with closing(build_backend(self._config)) as backend:
            session = backend.session(self._config)
            _check_identity(session, self._folder)
            self._job = Job(session, listener=self._take)
            loop.call(self._job.run())
            # Now, since closing an engine may take its time.
            self._end(self._stopping or BatchStatus.COMPLETED)

    def _take(self, event: Event) -> None:
        self._stats.update(event)
        if isinstance(event, RunStarted):
            self._began = time.time()

    def _watch(self) -> NoReturn:
        loop.leave_signals_to_main()
        while (stopping := self._stopping or self._wanted_end()) is None:
            self._note()
            time.sleep(_LOOK_EVERY_S)
        self._stopping = stopping
        if self._job is not None:
            loop.submit(_call(self._job.stop))
            time.sleep(GRACE_S)
        self._end(stopping)
        _leave_at_once()

    def _wanted_end(self) -> BatchStatus | None:
        if self._folder.cancel_path.exists():
            return BatchStatus.CANCELLED
        return BatchStatus.EXPIRED if self._written.is_over else None

    def _state(self) -> LocalState:
        """How far the job is now."""
        if self._began is None:
            return self._written
        return replace(
            self._written,
            status=BatchStatus.IN_PROGRESS,
            started=self._written.started or self._began,
            done=self._stats.finished,
            failed=self._stats.failed,
            starts=0 if self._stats.done else self._written.starts,
        )

    def _note(self) -> None:
        """Write down how far the job is, once a second."""
        state = self._state()
        is_due = time.monotonic() >= self._written_s + _WRITE_EVERY_S
        if state.status != self._written.status or (is_due and state != self._written):
            # A full disk is for the run to tell, which has answers to record.
            with self._writing, contextlib.suppress(StorageError):
                if not self._has_ended:
                    self._write(state)

    def _end(self, status: BatchStatus, *errors: str) -> None:
        """Write down how it ended; what is said first counts."""
        with self._writing:
            if self._has_ended:
                return
            self._has_ended = True
            state = self._state()
            self._write(state.end(status, *errors) if status.is_terminal else state)

    def _write(self, state: LocalState) -> None:
        write_state(self._folder, state)
        self._written, self._written_s = state, time.monotonic()


def main() -> None:
    """Work a job off, unless another process does."""
    folder = JobFolder(Path(sys.argv[1]))
    lock, secrets = _inherited(sys.argv[2]) if len(sys.argv) > 2 else (folder.try_lock(), {})
    if lock is None:
        sys.exit(f"{folder.id}: another process works on it")
    if os.getpgrp() != os.getpid():
        os.setpgrp()
    with lock:
        sign(lock)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        logging.info("process %d works on %s", os.getpid(), folder.id)
        worker = Worker(folder, _config(folder, secrets))
        signal.signal(signal.SIGTERM, worker.terminate)
        # Whoever started this process may have held them back.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, loop.SIGNALS)
        worker.run()
        unsign(lock)


def _inherited(file: str) -> tuple[Lock, dict[str, Any]]:
    lock = Lock(int(file))
    os.set_inheritable(lock.file, False)
    return lock, orjson.loads(sys.stdin.buffer.read())


def _config(folder: JobFolder, secrets: dict[str, Any]) -> InferenceConfig:
    """The job's settings, with its files and with what is not written down."""
    return folder.intent.config.merge(
        InferenceConfig(
            engine=folder.intent.engine,
            remote_params=RemoteParams(**secrets) if secrets else None,
            input_path=str(folder.input_path),
            output_path=str(folder.answers_path),
            overwrite=True,  # the folder is the job's own
        )
    )


def _check_identity(session: Session, folder: JobFolder) -> None:
    if session.keys.settings_key != folder.intent.settings_key:
        raise ConfigError(
            f"who answers is not who answered when the job was submitted: {session.identity} "
            f"instead of {folder.intent.identity}. Submit the conversations again"
        )


async def _call(action: Callable[[], None]) -> None:
    action()


def _leave_at_once() -> NoReturn:
    """Wait for nothing that is in flight, and leave no process of an engine behind."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
    raise AssertionError("a process outlived SIGKILL")


if __name__ == "__main__":
    main()
