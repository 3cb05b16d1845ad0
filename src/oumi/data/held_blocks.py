"""An input file that is opened once and read several times, block by block."""

from __future__ import annotations

import io
import math
import os
import weakref
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.core.digest import new_digest
from oumi.data.file_handle import HandleReader, changed_error, open_regular, state_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BLOCK = 1 << 18  # as large as disks read at once, so that checking costs no more reading
_HASH_BITS = 0xFFFFFFFF
_UNKNOWN = 1 << 32  # beyond all hashes


class HeldBlocks:
    """The bytes of a regular file, the same ones whenever they are read.

    The file is opened once and held: another one that is moved to its path changes nothing. Where
    it is written to in its place, whoever reads it next gets an InputError: each block has to be
    what it was when it was read first, and the file as long. That takes 8 bytes for 256 KB.
    """

    def __init__(self, path: Path, name: str):
        """Raises InputError for what is no regular file or cannot be opened."""
        self.name = name
        self._handle = open_regular(path)
        weakref.finalize(self, os.close, self._handle)
        self._state = state_of(self._handle)
        self.size = self._state[0]
        self._hashes = array("Q", [_UNKNOWN] * (self.size // _BLOCK + 1))

    def open(self) -> io.BufferedReader:
        """The bytes from the first one, at a position of its own."""
        return io.BufferedReader(_BlockReader(self), _BLOCK)

    def start(self, size: int = 16) -> bytes:
        """The first bytes."""
        return self.open().read(size)

    def digest(self) -> str:
        """The hash of the content: 32 hexadecimal digits."""
        digest, reader = new_digest(), self.open()
        while block := reader.read(_BLOCK):
            digest.update(block)
        return digest.hexdigest()

    def estimate_lines(self) -> int:
        """About how many lines there are, from the length of the first ones."""
        start = self.start(_BLOCK)
        return math.ceil(self.size * start.count(b"\n") / len(start)) if start else 0

    def block(self, number: int) -> bytes:
        """A block of 256 KB, or the rest. Raises InputError where it has changed."""
        raw = HandleReader(self._handle, self.name)
        raw.seek(number * _BLOCK)
        data = io.BufferedReader(raw, _BLOCK).read(min(_BLOCK, self.size - number * _BLOCK))
        found, known = hash(data) & _HASH_BITS, self._hashes[number]
        state = state_of(self._handle)
        is_same = state == self._state if known == _UNKNOWN else known == found
        if not is_same or state[0] != self.size:
            raise changed_error(self.name)
        self._hashes[number] = found
        return data


class _BlockReader(io.RawIOBase):
    """One pass over the blocks, the last one of which is kept."""

    def __init__(self, blocks: HeldBlocks):
        self._blocks = blocks
        self._position = 0
        self._number = -1
        self._block = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._blocks.size}
        self._position = starts[whence] + offset
        return self._position

    def readinto(self, buffer: Buffer) -> int:
        if self._position >= self._blocks.size:
            return 0
        number, start = divmod(self._position, _BLOCK)
        if number != self._number:
            self._number, self._block = number, self._blocks.block(number)
        part = self._block[start : start + len(memoryview(buffer))]
        memoryview(buffer)[: len(part)] = part
        self._position += len(part)
        return len(part)
