"""Locks for file systems without flock: a file that is there while the lock is held.

It is made with O_EXCL, so that one process makes it, and names its holder. The holder renews the
file's time every few seconds. A lock file is stale when its process has ended, which is seen at
once on the same machine, or when its time was not renewed for a while. Whoever finds it stale
removes it, and all race to make a new one.

Removing is guarded by a second file, the gate, held for milliseconds: between looking at a lock
file and removing it, nobody else can have removed it and made a new one. A holder that was paused
for so long that others took its lock for stale finds that out before it writes (`check`).
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

import orjson

from oumi.errors import StorageError
from oumi.runner.loop import leave_signals_to_main
from oumi.runner.storage.atomic import beside
from oumi.runner.storage.lock_holder import Holder

STALE_S = 60.0
"""Six missed renewals. Servers of network file systems may stall for tens of seconds."""
_RENEW_EVERY_S = 10.0
_BEGINNING = b'{"token":'
_GATE_WAIT_S = 1.0  # a gate is held for a few operations on files
_GATE_POLL_S = 0.01


class LockFile:
    """The lock file of a file, held by this process and renewed by a thread."""

    def __init__(self, path: Path, token: str):
        self.token = token
        self._path = path
        self._released = threading.Event()
        self._lost = False
        self._renewed_s = time.time()  # a monotonic clock may stand still while a machine sleeps

    @classmethod
    def create(cls, locked: Path) -> Self:
        """Make the lock file. Raises BlockingIOError while another holds the lock, OSError."""
        cls.remove_stale(locked)
        lock = cls(beside(locked, ".lock"), os.urandom(8).hex())
        try:
            file = os.open(lock._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            raise BlockingIOError(f"{lock._path} is there") from None
        with os.fdopen(file, "wb") as opened:
            opened.write(_to_json(Holder.this(lock.token, os.getpid())))
        lock._begin_renewing()
        return lock

    @classmethod
    def inherit(cls, locked: Path, token: str) -> Self | None:
        """The lock that the process that started this one has handed over, if it is still there."""
        lock = cls(beside(locked, ".lock"), token)
        if not lock._write_holder(os.getpid()):
            return None
        lock._begin_renewing()
        return lock

    @staticmethod
    def holder(locked: Path) -> Holder | None:
        """Who holds the lock of a file; None where there is no lock file."""
        found = _read(beside(locked, ".lock"))
        return None if found is None else found[0]

    @staticmethod
    def remove_stale(locked: Path) -> None:
        """Remove a stale lock file. Raises BlockingIOError for one that is held."""
        path = beside(locked, ".lock")
        if not path.exists():
            return
        with _gate(path) as now_s:
            found = _read(path)
            if found is None:
                return
            holder, renewed_s = found
            if not holder.has_ended and now_s - renewed_s < STALE_S:
                raise BlockingIOError(f"{path}: held by {holder}")
            path.unlink()

    def check(self) -> None:
        """Raise StorageError unless this process still holds the lock."""
        if time.time() - self._renewed_s > STALE_S / 2:  # the thread was not let run, or failed
            self._renew()
        if self._lost or time.time() - self._renewed_s > STALE_S:
            raise StorageError(
                f"{self._path}: this process has lost its lock, and stops: the file was removed, "
                "or could not be renewed in time. What was recorded before is intact: run again."
            )

    def hand_over(self, pid: int) -> None:
        """Name a child as the holder, and leave the renewing to it."""
        self._released.set()
        self._write_holder(pid)

    def release(self) -> None:
        """Remove the lock file, if it is still this lock's."""
        self._released.set()
        # What cannot be removed now is stale once this process has ended.
        with contextlib.suppress(OSError), _gate(self._path):
            if self._is_own():
                self._path.unlink()

    def _write_holder(self, pid: int) -> bool:
        with contextlib.suppress(OSError), _gate(self._path):
            if self._is_own():
                self._path.write_bytes(_to_json(Holder.this(self.token, pid)))
                return True
        return False

    def _is_own(self) -> bool:
        found = _read(self._path)
        return found is not None and found[0].token == self.token

    def _begin_renewing(self) -> None:
        threading.Thread(target=self._keep_renewing, name="oumi-lock", daemon=True).start()

    def _keep_renewing(self) -> None:
        leave_signals_to_main()
        while not self._released.wait(_RENEW_EVERY_S):
            self._renew()

    def _renew(self) -> None:
        with contextlib.suppress(OSError):  # it may work the next time
            if self._is_own():
                os.utime(self._path)
                self._renewed_s = time.time()
            else:
                self._lost = True


@contextlib.contextmanager
def _gate(path: Path) -> Iterator[float]:
    """Alone in changing a lock file. Gives the time by the clock of the file system, which is what
    lock files are dated by. Raises BlockingIOError if others do not let go.
    """
    gate = beside(path, ".gate")
    file = _open_gate(gate)
    try:
        yield os.fstat(file).st_mtime
    finally:
        os.close(file)
        gate.unlink(missing_ok=True)


def _open_gate(gate: Path) -> int:
    give_up_s = time.monotonic() + _GATE_WAIT_S
    while True:
        try:
            return os.open(gate, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            if time.monotonic() > give_up_s:
                _remove_left_gate(gate)
                raise BlockingIOError(f"{gate} is there") from None
        time.sleep(_GATE_POLL_S)


def _remove_left_gate(gate: Path) -> None:
    """Remove the gate of a process that was killed within these milliseconds."""
    with contextlib.suppress(OSError):
        if time.time() - gate.stat().st_mtime > STALE_S:
            gate.unlink()


def _read(path: Path) -> tuple[Holder, float] | None:
    """Who holds a lock file, and when it was last renewed; None where it is not there.

    Raises StorageError for a file that is no lock file, which is somebody else's.

    It is opened each time: NFS asks its server anew for the time of a file that is opened.
    """
    try:
        with path.open("rb") as file:
            text, renewed_s = file.read(), os.fstat(file.fileno()).st_mtime
    except FileNotFoundError:
        return None
    try:
        return Holder(**orjson.loads(text)), renewed_s
    except (orjson.JSONDecodeError, TypeError):
        if not text.startswith(_BEGINNING[: len(text)]):
            raise StorageError(f"{path}: not a lock file of a run; move it away") from None
        return Holder("", "", "", None, 0, None), renewed_s


def _to_json(holder: Holder) -> bytes:
    values: dict[str, Any] = asdict(holder)
    return orjson.dumps(values) + b"\n"
