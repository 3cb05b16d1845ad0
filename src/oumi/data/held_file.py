"""An input file that is opened once and read several times."""

from __future__ import annotations

import io
import os
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path

from oumi.core.digest import new_digest
from oumi.data.file_handle import HandleReader, changed_error, open_regular, state_of
from oumi.errors import InputError

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
        self._handle = open_regular(path)
        weakref.finalize(self, os.close, self._handle)
        self._state = state_of(self._handle)
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
        if state_of(self._handle) != self._state:
            raise self._changed(None)

    def _changed(self, number: int | None) -> InputError:
        place = self._name if number is None else f"{self._name}:{number}"
        return changed_error(place)

    def _reader(self) -> io.BufferedReader:
        return io.BufferedReader(HandleReader(self._handle, self._name), _BLOCK)
