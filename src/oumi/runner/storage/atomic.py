"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from oumi.errors import StorageError

PARTIAL = ".oumi-partial"
"""The ending of a file that is being written: one that nobody else gives to files of their own."""

_BUFFER_BYTES = 1 << 18  # a call of the system for some hundred lines

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_SYNC = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_NO_FOLDER_SYNC = _NO_SYNC | {errno.EACCES, errno.EBADF, errno.EISDIR, errno.EPERM}
# Where the name leads to another file system, or is itself a mount point, as a single file that a
# container was given.
_NO_RENAME = frozenset({errno.EXDEV, errno.EBUSY})


def beside(path: Path, ending: str) -> Path:
    """The file's neighbour, named like it with an ending."""
    return path.with_name(path.name + ending)


@contextlib.contextmanager
def atomic_file(path: Path, kept: str) -> Iterator[BinaryIO]:
    """A file that takes its place only when it is written whole and synced.

    Raises StorageError, in which `kept` says what is safe.
    """
    neighbour = beside(path, PARTIAL)
    try:
        neighbour.unlink(missing_ok=True)  # of a run that was killed; never written through a link
        with neighbour.open("xb", _BUFFER_BYTES) as file:
            yield file
            file.flush()
            sync_file(file.fileno())
        _move(neighbour, path)
        _sync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            neighbour.unlink(missing_ok=True)
        if isinstance(error, OSError) and not isinstance(error, StorageError):
            raise write_error(path, "cannot be written", error, kept) from error
        raise


def sync_file(file: int) -> None:
    """Bring a file's content to the disk itself, where its file system can."""
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


@contextlib.contextmanager
def storage_errors(path: Path, what: str = "cannot be read") -> Iterator[None]:
    """What the system raises meanwhile, as a StorageError that names the file."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{path}: {what}: {reason_of(error)}") from error


def write_error(path: Path, what: str, error: OSError, kept: str) -> StorageError:
    """An error that says what failed and why, what is safe (`kept`), and what to do."""
    advice = "make room and run again" if error.errno in _FULL else "run again once it can be"
    return StorageError(f"{path}: {what}: {reason_of(error)}. {kept}: {advice}.")


def reason_of(error: OSError) -> str:
    """The system's words for an error; not every OSError has them."""
    return error.strerror or str(error) or type(error).__name__


def _move(neighbour: Path, path: Path) -> None:
    """Put a whole file in its place: by its name, or where that cannot be, by its content."""
    try:
        neighbour.replace(path)
    except OSError as error:
        if error.errno not in _NO_RENAME:
            raise
        with neighbour.open("rb") as whole, path.open("wb") as file:
            shutil.copyfileobj(whole, file)
            file.flush()
            sync_file(file.fileno())
        neighbour.unlink()


def _sync_folder(path: Path) -> None:
    """Bring the new name to the disk itself. Some file systems sync no folders, and need not."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
