"""The process that works a job off: started detached, and ended where it does not end itself."""

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

from oumi.batch.job_folder import JobFolder, Lock
from oumi.errors import EngineError

_MODULE = "oumi.batch.local.worker"
_TAIL_BYTES = 2000

GRACE_S = 3.0
"""How long a process that is to stop waits for what is in flight."""


def start(folder: JobFolder, lock: Lock, secrets: Mapping[str, Any]) -> None:
    """Start the process of a job whose lock the caller holds. Raises EngineError.

    The process takes the lock over, so that it is never free in between. Secrets are in a pipe
    before the process starts, and never in a file or in the environment.
    """
    unsign(lock)
    try:
        process = _spawn(folder, lock.file, orjson.dumps(secrets))
    except OSError as error:
        raise EngineError(f"{folder.id}: no process can be started: {error}") from error
    # Whoever started a process has to take note of its end, or it stays in the table.
    threading.Thread(target=process.wait, name="oumi-worker-end", daemon=True).start()


def sign(lock: Lock) -> None:
    """Say in the lock's file who holds it."""
    holder = {"pid": os.getpid(), "host": socket.gethostname()}
    os.pwrite(lock.file, orjson.dumps(holder), 0)


def unsign(lock: Lock) -> None:
    """Take the name of whoever held the lock before out of its file, lest another process that
    has this number by now be killed for it.
    """
    os.ftruncate(lock.file, 0)


def kill(folder: JobFolder) -> None:
    """End the process that holds the job's lock, and what it started, at once.

    Does nothing where the holder has not signed yet or runs on another machine.
    """
    try:
        holder = orjson.loads(folder.lock_path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return
    if holder["host"] == socket.gethostname():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(holder["pid"], signal.SIGKILL)


def last_words(folder: JobFolder) -> str:
    """The end of what the processes of a job wrote to its log."""
    try:
        with folder.log_path.open("rb") as file:
            file.seek(max(0, folder.log_path.stat().st_size - _TAIL_BYTES))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def _spawn(folder: JobFolder, lock: int, secrets: bytes) -> subprocess.Popen[bytes]:
    cwd = Path(folder.intent.cwd)
    with _pipe_holding(secrets) as stdin, folder.log_path.open("ab") as log:
        return subprocess.Popen(  # noqa: S603  nothing in it comes from outside
            # -P: a file in the working directory is not to stand in for a module.
            [sys.executable, "-P", "-m", _MODULE, str(folder.path), str(lock)],
            stdin=stdin,
            stdout=log,
            stderr=log,
            cwd=cwd if cwd.is_dir() else folder.path,
            pass_fds=(lock,),
            start_new_session=True,
        )


@contextlib.contextmanager
def _pipe_holding(text: bytes) -> Iterator[int]:
    """The reading end of a pipe that holds a text, which has to be short."""
    reading, writing = os.pipe()
    try:
        os.write(writing, text)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)
