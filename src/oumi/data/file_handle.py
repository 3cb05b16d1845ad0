"""Input files by their open handles, which keep to a file whatever is moved to its path."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Buffer


def open_regular(path: Path) -> int:
    """The handle of a file. Raises InputError for what is no regular file or cannot be opened."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise unreadable(str(path), error) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise InputError(f"{path}: not a regular file")
    return handle


def state_of(handle: int) -> tuple[int, int]:
    """Size in bytes and time of the last change in nanoseconds: other ones after each change."""
    status = os.fstat(handle)
    return status.st_size, status.st_mtime_ns


def changed_error(place: str) -> InputError:
    """The error of an input that is not what it was."""
    return InputError(
        f"{place}: the file was changed while it was being read. Answers that are recorded "
        "are kept: when the file is as it should be, run again"
    )


def unreadable(name: str, error: OSError) -> InputError:
    """The error of a file that the system does not let be read."""
    return InputError(f"{name}: cannot be read: {error.strerror}")


class HandleReader(io.RawIOBase):
    """One pass over an open file, at a position of its own. Raises InputError."""

    def __init__(self, handle: int, name: str):
        self._handle = handle
        self._name = name
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move from the beginning, or else from where it stands."""
        self._position = offset if whence == os.SEEK_SET else self._position + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        """Read at its position."""
        try:
            size = os.preadv(self._handle, [buffer], self._position)
        except OSError as error:
            raise unreadable(self._name, error) from error
        self._position += size
        return size
