"""Reads files that rows name: regular files below one folder, of a bounded size.

A file system that hangs holds a thread, and nothing can free that thread. So the threads here are
daemons, few, and nobody waits for them without a limit: neither the event loop nor the end of the
program depends on them.
"""

from __future__ import annotations

import os
import stat
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import NoReturn

from oumi.core.forks import watch_forks
from oumi.errors import InputError
from oumi.runner.loop import leave_signals_to_main

READ_TIMEOUT_S = 30.0
"""A disk that has to spin up takes about 10 s, and so does the fail-over of a file server."""

# One alone is enough for a local disk. The others are for file servers, and for the case that some
# of them are held by a file system that hangs.
_MOST_THREADS = 32

# They have files that count as regular, and are windows into the kernel: some block, some are huge.
_KERNEL_FOLDERS = (Path("/proc"), Path("/sys"))

# Not to wait for whoever holds the other end of a pipe, not to take a terminal over, and not to
# follow a link that was put in the file's place after its path was resolved.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC


def read_file(path: str, folder: Path, max_bytes: int) -> bytes:
    """The bytes of a file below a folder; links in both are followed first.

    Raises InputError, which names the setting that is in the way. May block for as long as the file
    system likes.
    """
    name = path[:300]
    try:
        found = Path(os.path.realpath(Path(path).expanduser()))
        _check_place(name, found, Path(os.path.realpath(folder)))
        _check_regular(name, found.stat())  # before it is opened: opening some devices acts
        with open(os.open(found, _FLAGS), "rb") as file:
            status = os.fstat(file.fileno())
            _check_regular(name, status)
            data = file.read(max_bytes + 1) if status.st_size <= max_bytes else b""
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{name}: it cannot be read: {error.strerror}") from error
    except (ValueError, RuntimeError) as error:  # a NUL in it, a user that does not exist
        raise InputError(f"{name!r}: no path of a file: {error}") from error
    if status.st_size > max_bytes or len(data) > max_bytes:
        raise too_large(name, max_bytes)
    return data


def too_large(name: str, max_bytes: int) -> InputError:
    """The error for media over the limit."""
    return InputError(f"{name}: over {max_bytes:,} bytes left to this row (max_media_bytes)")


def _check_place(name: str, found: Path, folder: Path) -> None:
    if any(found.is_relative_to(kernel) for kernel in _KERNEL_FOLDERS):
        raise InputError(f"{name}: a file of the kernel; rows may name ordinary files only")
    if not found.is_relative_to(folder):
        raise InputError(
            f"{name}: outside of {folder}; allowed_media_path sets the folder below which rows may "
            "name files"
        )


def _check_regular(name: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{name}: not a regular file, which is all that rows may name")


class FileReader:
    """Reads files on threads of its own."""

    def __init__(self) -> None:
        self._begin()
        watch_forks(self)

    def _begin(self) -> None:
        self._calls: SimpleQueue[tuple[Future[bytes], str, Path, int]] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._unread = 0  # calls that are queued or being worked on

    def after_fork(self) -> None:
        """The threads are the parent's."""
        self._begin()

    def start(self, path: str, folder: Path, max_bytes: int) -> Future[bytes]:
        """Begin `read_file`."""
        future: Future[bytes] = Future()
        with self._lock:
            self._unread += 1
            if self._threads < min(self._unread, _MOST_THREADS):
                Thread(target=self._work, name="oumi-files", daemon=True).start()
                self._threads += 1
        self._calls.put((future, path, folder, max_bytes))
        return future

    def _work(self) -> NoReturn:
        leave_signals_to_main()
        while True:
            self._answer(*self._calls.get())
            with self._lock:
                self._unread -= 1

    def _answer(self, future: Future[bytes], path: str, folder: Path, max_bytes: int) -> None:
        if not future.set_running_or_notify_cancel():
            return  # whoever asked waits no longer
        try:
            future.set_result(read_file(path, folder, max_bytes))
        except BaseException as error:
            future.set_exception(error)


FILES = FileReader()
"""The one that all engines share."""
