"""The lines of a journal: each is whole by its checksum, or it is none.

A line is a JSON object that begins with the row's key and number, and ends with the CRC-32 of all
that stands before it. Lines of version 1 have no checksum: they count where they can be read.
Between these stand notes on the run: at which `address` the answers that follow were asked, and how
many tokens may be `unrecorded`: paid for, at most, in no record.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from zlib import crc32

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import Completion
from oumi.core.types.failure import Failure

HEADER = b'{"journal":2}\n'
HEADERS = (b'{"journal":1}\n', HEADER)

_START = re.compile(
    rb'\{"key":"([0-9a-f]{32})","row":(\d{1,18}),(?:"replaces":(\d{1,18}),)?'
    rb'"(completion|embedding|failure)":'
)
_NOTE = re.compile(rb'\{"(?:address|unrecorded)":')
_END = re.compile(rb',"crc32":"([0-9a-f]{8})"\}\n')
_END_BYTES = len(b',"crc32":"01234567"}\n')
READ_AHEAD_BYTES = 1 << 18
"""What is read at once of a journal that is gone through."""
_NEAR_BYTES = READ_AHEAD_BYTES // 4
"""So far apart are the answers of neighbours, where some dozens are asked at once."""
_READ_BYTES = 4096  # most lines are shorter


class JournalLine(NamedTuple):
    """What a line says of itself."""

    key: int
    """The first 64 bits of the row's key."""
    row: int
    replaces: int | None
    """Where the line begins that it stands for."""
    is_answer: bool
    has_checksum: bool


def write_line(record: Mapping[str, Any]) -> bytes:
    """The line of a record, with its checksum."""
    text = write_json(record)[:-1]
    return text + _end_of(text)


def write_record(record: dict[str, Any]) -> bytes:
    """The line of a row's record, to which the time is added at which it is recorded, in seconds
    since 1970, unless it says another.
    """
    record.setdefault("recorded_at", int(time.time() * 1000) / 1000)
    return write_line(record)


def read_line(line: bytes) -> JournalLine | None:
    """What a line says of itself; None for one that is damaged."""
    start = _START.match(line)
    if start is None:
        return None
    key, row, replaces, kind = start.groups()
    is_answer = kind != b"failure"
    is_whole = _is_whole(line)
    has_checksum = is_whole is not None
    if not (is_whole if has_checksum else _can_be_read(line, is_answer=is_answer)):
        return None
    replaced = int(replaces) if replaces else None
    return JournalLine(int(key[:16], 16), int(row), replaced, is_answer, has_checksum)


def moved_line(line: bytes, shift: int) -> bytes | None:
    """The line of a record for another journal, in which its row has a number larger by `shift`;
    None for one that is damaged. What it replaces it does not name there, as it holds that too.
    """
    start = _START.match(line)
    if start is None or read_line(line) is None:
        return None
    end = len(line) - (_END_BYTES if _is_whole(line) else len(b"}\n"))
    row = int(start[2]) + shift
    text = b'{"key":"%s","row":%d,"%s":%s' % (start[1], row, start[4], line[start.end() : end])
    return text + _end_of(text)


def read_note(line: bytes) -> dict[str, Any] | None:
    """A note by its name; None for another line or one that is damaged."""
    if not _NOTE.match(line) or not _is_whole(line):
        return None
    note: dict[str, Any] = parse_json(line)
    del note["crc32"]
    return note


def read_places(path: Path, start: int = 0) -> Iterator[tuple[int, int, bool]]:
    """Of each record its row, its offset, and whether it is an answer, beside whoever writes.

    `start` is an offset at which a line begins. A file that is not there holds nothing.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(start)
        for offset, text in whole_lines(file):
            line = read_line(text)
            if line is not None:
                yield line.row, start + offset, line.is_answer


def read_record(file: int, offset: int) -> dict[str, Any]:
    """The record at an offset of a journal that is open as a file descriptor."""
    record: dict[str, Any] = parse_json(line_at(file, offset))
    return record


def write_at(file: int, line: bytes, offset: int) -> None:
    """All of a line, which the disk may take in parts. The place is ours to say: after a line that
    was taken back, the file's own position would leave a hole.
    """
    while line:
        written = os.pwrite(file, line, offset)
        line, offset = line[written:], offset + written


def whole_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each line and how far it stands from where reading began; not a torn last one."""
    offset = 0
    for line in file:
        if line.endswith(b"\n"):
            yield offset, line
        offset += len(line)


def _end_of(text: bytes) -> bytes:
    """What follows all else in a line: its checksum."""
    return b',"crc32":"%08x"}\n' % crc32(text)


def _is_whole(line: bytes) -> bool | None:
    """Whether a line is what its checksum says; None where it has none."""
    if line[-_END_BYTES:] == _end_of(line[:-_END_BYTES]):
        return True
    return None if _END.match(line, len(line) - _END_BYTES) is None else False


def _can_be_read(line: bytes, *, is_answer: bool) -> bool:
    try:
        record = parse_json(line)
        if is_answer:
            Completion.from_dict(record["completion"])
        else:
            Failure.from_dict(record["failure"])
    except (ValueError, LookupError, TypeError, AttributeError):
        return False
    return True


def line_at(file: int, offset: int) -> bytes:
    """The line that begins at an offset of a file descriptor; its last one may have no end."""
    size = _READ_BYTES
    while True:
        chunk = os.pread(file, size, offset)
        end = chunk.find(b"\n")
        if end >= 0 or len(chunk) < size:
            return chunk[: end + 1] if end >= 0 else chunk
        size *= 4


class LineReader:
    """Reads lines of a file that is open as a descriptor, by where they begin.

    Answers come about in the order of their rows, and are read in that order. So a line near the
    one before is read with all that lies around it.
    """

    def __init__(self, file: int):
        self._file = file
        self._last = 0
        self._held = (0, b"")  # where a block begins, and the block: set at once, for threads

    def read(self, offset: int) -> bytes:
        """The line that begins there."""
        start, block = self._held
        at = offset - start
        if at >= 0 and (end := block.find(b"\n", at)) >= 0:
            self._last = offset
            return block[at : end + 1]
        is_near = abs(offset - self._last) < _NEAR_BYTES
        self._last = offset
        return self._read_around(offset) if is_near else line_at(self._file, offset)

    def _read_around(self, offset: int) -> bytes:
        start = max(offset - _NEAR_BYTES, 0)
        block = os.pread(self._file, READ_AHEAD_BYTES, start)
        self._held = (start, block)
        end = block.find(b"\n", offset - start)
        return block[offset - start : end + 1] if end >= 0 else line_at(self._file, offset)
