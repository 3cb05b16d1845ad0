"""An input file that is opened once and read several times."""

from __future__ import annotations

import io
import os
import stat
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.core.digest import new_digest
from oumi.errors import InputError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_HASH_BITS = 0xFFFFFFFF
_BLOCK = 1 << 18  # read at once: larger blocks are no faster


class HeldFile:
    """The lines of a regular file, the same ones in every pass.

    The file is opened once and held: another one that is moved to its path changes nothing. Where
    it is written to in its place, whoever reads it next gets an InputError, so that no answer is
    ever joined to another line than it was asked for. That takes 4 bytes a line.
    """

    def __init__(self, path: Path, name: str):
        """Raises InputError for what is no regular file or cannot be opened."""
        self._name = name
        self._handle = _open(path)
        weakref.finalize(self, os.close, self._handle)
        status = os.fstat(self._handle)
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: not a regular file")
        self._state = _state(status)
        self._hashes: array[int] | None = None  # of each line, from the first whole pass

    def lines(self) -> Iterator[bytes]:
        """All lines, from the first one. Raises InputError where they are not what they were."""
        if self._hashes is None:
            yield from self._first_lines()
        else:
            yield from self._same_lines(self._hashes)

    def line_at(self, offset: int, number: int) -> bytes:
        """Line `number`, from 1, which begins at an offset in bytes. Raises InputError where it is
        not what it was in the first whole pass.
        """
        reader = self._reader()
        reader.seek(offset)
        line = reader.readline()
        if self._hashes is not None and self._hashes[number - 1] != hash(line) & _HASH_BITS:
            raise self._changed(number)
        return line

    def digest(self) -> str:
        """The hash of the content: 32 hexadecimal digits."""
        digest, reader = new_digest(), self._reader()
        while block := reader.read(_BLOCK):
            digest.update(block)
        self._check_unchanged()
        return digest.hexdigest()

    def _first_lines(self) -> Iterator[bytes]:
        hashes = array("I")
        for line in self._reader():
            hashes.append(hash(line) & _HASH_BITS)
            yield line
        self._check_unchanged()
        self._hashes = hashes

    def _same_lines(self, hashes: array[int]) -> Iterator[bytes]:
        count = 0
        for line in self._reader():
            if count == len(hashes) or hashes[count] != hash(line) & _HASH_BITS:
                raise self._changed(count + 1)
            count += 1
            yield line
        if count < len(hashes):
            raise self._changed(count + 1)

    def _check_unchanged(self) -> None:
        if _state(os.fstat(self._handle)) != self._state:
            raise self._changed(None)

    def _changed(self, number: int | None) -> InputError:
        place = self._name if number is None else f"{self._name}:{number}"
        return InputError(
            f"{place}: the file was changed while it was being read. Answers that are recorded "
            "are kept: when the file is as it should be, run again"
        )

    def _reader(self) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._handle, self._name), _BLOCK)


class _Reader(io.RawIOBase):
    """One pass over an open file, at a position of its own."""

    def __init__(self, handle: int, name: str):
        self._handle = handle
        self._name = name
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset if whence == os.SEEK_SET else self._position + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        try:
            size = os.preadv(self._handle, [buffer], self._position)
        except OSError as error:
            raise _unreadable(self._name, error) from error
        self._position += size
        return size


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise _unreadable(str(path), error) from error


def _unreadable(name: str, error: OSError) -> InputError:
    return InputError(f"{name}: cannot be read: {error.strerror}")


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns
