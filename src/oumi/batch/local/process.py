"""The worker process of a job: how it is started, found and killed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from oumi.batch.job_folder import JobFolder
from oumi.errors import EngineError
from oumi.runner.storage.lock import Lock

_MODULE = "oumi.batch.local.worker"
_LOG_TAIL_BYTES = 2000  # enough for the end of a traceback in an error message

GRACE_S = 3.0
"""How long a process that is to stop waits for requests in flight. Chosen so that a cancelled job
ends within seconds, and short answers are still kept.
"""


def start(folder: JobFolder, lock: Lock, secrets: Mapping[str, Any]) -> None:
    """Start the process of a job whose lock the caller holds. Raises EngineError.

    The process inherits the lock, so that it is never free in between. Secrets are in a pipe
    before the process starts, and never in a file or in the environment.
    """
    clear_holder(lock)
    try:
        process = _spawn(folder, lock, orjson.dumps(secrets))
    except OSError as error:
        raise EngineError(f"{folder.id}: no process can be started: {error}") from error
    lock.hand_over(process.pid)
    # Whoever starts a process has to wait for it, or it stays in the process table.
    threading.Thread(target=process.wait, name="oumi-worker-end", daemon=True).start()


def write_holder(lock: Lock) -> None:
    """Write to the lock's file which process holds it."""
    holder = {"pid": os.getpid(), "host": socket.gethostname()}
    os.pwrite(lock.file, orjson.dumps(holder), 0)


def clear_holder(lock: Lock) -> None:
    """Remove the process id of the last holder from the lock's file.

    Otherwise another process that has got the same id since could be killed for it.
    """
    os.ftruncate(lock.file, 0)


def kill(folder: JobFolder) -> None:
    """Kill the process that holds the job's lock, and the processes that it started.

    Does nothing if the holder has not written its id yet, or runs on another machine.
    """
    try:
        holder = orjson.loads(folder.lock_path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return
    if holder["host"] == socket.gethostname():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(holder["pid"], signal.SIGKILL)


def log_tail(folder: JobFolder) -> str:
    """The end of the log of a job's processes."""
    try:
        with folder.log_path.open("rb") as file:
            file.seek(max(0, folder.log_path.stat().st_size - _LOG_TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def _spawn(folder: JobFolder, lock: Lock, secrets: bytes) -> subprocess.Popen[bytes]:
    cwd = Path(folder.spec.cwd)
    with _pipe_holding(secrets) as stdin, folder.log_path.open("ab") as log:
        return subprocess.Popen(  # noqa: S603  all arguments are ours
            # -P: a file in the working directory must not be imported in place of a module.
            [sys.executable, "-P", "-m", _MODULE, str(folder.path), lock.inheritance],
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd=cwd if cwd.is_dir() else folder.path,
            pass_fds=(lock.file,),
            start_new_session=True,
        )


@contextlib.contextmanager
def _pipe_holding(text: bytes) -> Iterator[int]:
    """The reading end of a pipe that holds a text, which has to fit its buffer (some 64 KiB)."""
    reading, writing = os.pipe()
    try:
        os.write(writing, text)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)
