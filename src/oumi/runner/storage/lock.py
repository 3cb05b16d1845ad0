"""The right to write to a file: one process has it, until it lets go or ends.

flock gives it where the file system offers flock. Elsewhere (Lustre mounted without `-o flock`, NFS
without its lock service, some FUSE) a lock file beside it does: lock_file.py.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from pathlib import Path
from typing import Self

from oumi.core.forks import watch_forks
from oumi.errors import StorageError
from oumi.runner.storage.atomic import reason_of
from oumi.runner.storage.lock_file import STALE_S, LockFile

_NOT_OFFERED = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})


class Lock:
    """The right to write to a file, until it is released or the process ends."""

    def __init__(self, file: int, lock_file: LockFile | None = None):
        self.file = file
        """The open file that is locked; -1 once it is released."""
        self._lock_file = lock_file
        self._handed_over = False
        watch_forks(self)

    @classmethod
    def inherit(cls, path: Path, text: str) -> Self | None:
        """The lock of the process that started this one, by its `inheritance`. None where others
        have taken the lock since.
        """
        file, _, token = text.partition(":")
        os.set_inheritable(int(file), False)
        if not token:
            return cls(int(file))
        lock_file = LockFile.inherit(path, token)
        if lock_file is None:
            os.close(int(file))
            return None
        return cls(int(file), lock_file)

    @property
    def inheritance(self) -> str:
        """What a child that inherits the open file needs to know."""
        return f"{self.file}:{self._lock_file.token}" if self._lock_file else f"{self.file}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def check(self) -> None:
        """Raise StorageError where another process has the lock by now, as after a long pause."""
        if self._lock_file is not None:
            self._lock_file.check()

    def after_fork(self) -> None:
        """The lock is the parent's. The open file of a child would hold it beyond the parent's end,
        and its lock file is not for the child to remove.
        """
        self._lock_file = None
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    def hand_over(self, pid: int) -> None:
        """From now on a child has the lock, and its end is the end of the lock."""
        self._handed_over = True
        if self._lock_file is not None:
            self._lock_file.hand_over(pid)
            self._lock_file = None

    def release(self) -> None:
        """Let others have the lock. May be called twice."""
        if self._lock_file is not None:
            self._lock_file.release()
            self._lock_file = None
        if self.file >= 0:
            if not self._handed_over:  # a fork of this moment may have the file open as well
                with contextlib.suppress(OSError):  # where there is no flock
                    fcntl.flock(self.file, fcntl.LOCK_UN)
            os.close(self.file)
            self.file = -1


def try_lock(path: Path, mode: int = 0o644) -> Lock | None:
    """The lock of a file, which is made if need be; None while another holds it.

    Raises StorageError where the file cannot be opened or locked at all.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    except OSError as error:
        raise StorageError(f"{path}: cannot be opened: {reason_of(error)}") from error
    try:
        return Lock(file, _lock(path, file))
    except OSError as error:
        os.close(file)
        if isinstance(error, BlockingIOError):
            return None
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"{path}: cannot be locked: {reason_of(error)}") from error


def holder_of(path: Path) -> str:
    """Who holds a file's lock, in words for an error."""
    holder = LockFile.holder(path)
    if holder is not None:
        return f"{holder} (if it has died, its lock ends {STALE_S:.0f} s after it)"
    pid = _flock_holder(path)
    if pid == str(os.getpid()):
        return "this process"
    return f"process {pid} on this machine" if pid else "another process"


def _lock(path: Path, file: int) -> LockFile | None:
    """The lock file, where one is needed. Raises BlockingIOError while another holds the lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NOT_OFFERED:
            raise
        return LockFile.create(path)
    LockFile.remove_stale(path)  # of a machine whose mount of the same files has no flock
    return None


def _flock_holder(path: Path) -> str | None:
    """The process on this machine that holds a file's flock, as Linux lists it."""
    try:
        status, lines = path.stat(), Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}"
    for line in lines:
        # 1: FLOCK ADVISORY WRITE <pid> <device>:<inode> 0 EOF; the pid is 0 in another container
        fields = line.split()
        if fields[1] == "FLOCK" and fields[5] == f"{device}:{status.st_ino}" and fields[4] > "0":
            return fields[4]
    return None
