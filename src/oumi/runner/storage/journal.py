"""The journal: every answer on disk, one JSON line a row, before anything else happens to it.

A line is `{"key": …, "row": …, "completion": …}` or `{"key": …, "row": …, "failure": …}` with
facts of the run behind it. A row may have several lines: an answer that does not have the form
asked for is followed by one that holds both it and the next answer, and that names as `replaces`
where the line begins that it stands for. Lines are only ever added. Each is handed to the system by
a write of its own, so that a killed process loses nothing, and the file is synced about once a
second, so that a power cut loses little. A torn last line is cut off when the journal is opened.

In memory a new row takes 8 bytes, the place of its line; a row found in an older journal takes
32. A row is looked up under its number first; where the input was reordered or extended, under
its key.
"""

from __future__ import annotations

import fcntl
import os
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from oumi.core.types.completion import Completion
from oumi.core.types.result import Failure
from oumi.errors import OutputExistsError, StorageError
from oumi.structured.contract import Contract
from oumi.structured.finish import record_is_valid

_HEADER = b'{"journal":1}\n'
_LINE = re.compile(
    rb'\{"key":"([0-9a-f]{32})","row":(\d+),(?:"replaces":(\d+),)?"(completion|failure)":'
)
_NOWHERE = 2**64 - 1


class Journal:
    """The journal of one output file, locked for this process while it is open.

    Raises OutputExistsError for a file that is no journal or is in use by another process, and
    StorageError where the disk refuses a line; the lines before it are intact.
    """

    def __init__(self, path: Path):
        self.path = path
        self._keys = array("Q")  # of each answer that the file held when it was opened
        self._offsets = array("Q")  # of the same answers; _NOWHERE once a row has claimed it
        self._numbers = array("Q")  # of each row number, the last such answer
        self._sorted: list[int] | None = None  # the same answers by key, made when needed
        self._failures = array("Q")  # of each row number, the last failure; for `claim_failure`
        self._places = array("Q")  # of each row of this run, the offset of its record
        self._open: set[int] = set()  # rows whose answers from before are not the last word
        self._file = _open_locked(path)
        self._end = self._load()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Sync and let go of the file."""
        if self._file >= 0:
            self.sync()
            os.close(self._file)
            self._file = -1

    def sync(self) -> None:
        """Bring what was written to the disk itself."""
        os.fsync(self._file)

    @property
    def recorded(self) -> int:
        """How many answers the journal held when it was opened."""
        return sum(1 for offset in self._offsets if offset != _NOWHERE)

    def claim(self, row: int, key: str) -> bool:
        """Whether an answer to this row is recorded; if so, it is this row's from now on."""
        found = self._find(row, int(key[:16], 16))
        if found is None:
            return False
        self._place(row, self._offsets[found])
        self._offsets[found] = _NOWHERE
        return True

    def claim_valid(self, row: int, key: str, contract: Contract | None) -> bool:
        """The same for an answer in the form that is asked for; one in another form leaves the
        row open.
        """
        if not self.claim(row, key):
            return False
        if contract is None or record_is_valid(contract, self.read(row)["completion"]):
            return True
        self.reopen(row)
        return False

    def reopen(self, row: int) -> None:
        """Have the row worked on further: its answers from before are not its last."""
        self._open.add(row)

    def claim_failure(self, row: int) -> bool:
        """Whether a failure of this row is recorded; if so, it is what `read` gives from now on.

        For journals whose rows keep their numbers.
        """
        if row >= len(self._failures) or self._failures[row] == _NOWHERE:
            return False
        self._place(row, self._failures[row])
        return True

    def holds(self, row: int) -> bool:
        """Whether this row of this run has a record, and is not open."""
        return self._is_placed(row) and row not in self._open

    def earlier_answer(self, row: int) -> Completion | None:
        """The answers from before of an open row."""
        if row not in self._open:
            return None
        return Completion.from_dict(self.read(row)["completion"])

    def append(self, row: int, key: str, completion: Completion, **facts: Any) -> None:
        """Write an answer, in place of the row's record from before. Raises StorageError."""
        record: dict[str, Any] = {"key": key, "row": row}
        if self._is_placed(row):
            record["replaces"] = self._places[row]
        record["completion"] = completion.to_dict()
        self._write(row, record | facts)

    def append_failure(self, row: int, key: str, failure: Failure, **facts: Any) -> None:
        """Write a failure; the row is asked again by the next run. Raises StorageError."""
        self._write(row, {"key": key, "row": row, "failure": failure.to_dict(), **facts})

    def read(self, row: int) -> dict[str, Any]:
        """The last record of a row of this run, with its `completion` or its `failure`; empty
        where there is none.
        """
        if not self._is_placed(row):
            return {}
        return read_record(self._file, self._places[row])

    def _place(self, row: int, offset: int) -> None:
        _put(self._places, row, offset)

    def _is_placed(self, row: int) -> bool:
        return row < len(self._places) and self._places[row] != _NOWHERE

    def _find(self, row: int, key: int) -> int | None:
        if row < len(self._numbers):
            found = self._numbers[row]
            if found != _NOWHERE and self._is_free(found, key):
                return found
        if self._sorted is None:
            free = (i for i, offset in enumerate(self._offsets) if offset != _NOWHERE)
            self._sorted = sorted(free, key=self._keys.__getitem__)
        at = bisect_left(self._sorted, key, key=self._keys.__getitem__)
        while at < len(self._sorted) and self._keys[self._sorted[at]] == key:
            if self._is_free(self._sorted[at], key):
                return self._sorted[at]
            at += 1
        return None

    def _is_free(self, answer: int, key: int) -> bool:
        return self._keys[answer] == key and self._offsets[answer] != _NOWHERE

    def _write(self, row: int, record: Mapping[str, Any]) -> None:
        line = orjson.dumps(record) + b"\n"
        start = self._end
        try:
            _write_at(self._file, line, start)
        except OSError as error:
            os.ftruncate(self._file, start)
            raise StorageError(
                f"{self.path}: an answer cannot be recorded: {error.strerror}. "
                "What was recorded before is intact: make room and run again."
            ) from error
        self._end = start + len(line)
        self._place(row, start)
        self._open.discard(row)

    def _load(self) -> int:
        """Index the answers, cut a torn last line off, and return where the file ends."""
        end = 0
        replaced: list[int] = []
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            for number, (offset, line) in enumerate(_whole_lines(file), start=1):
                if number == 1:
                    _check_header(line, self.path)
                else:
                    replaced += self._index(line, offset, number)
                end = offset + len(line)
        self._drop(replaced)
        os.ftruncate(self._file, end)
        if end == 0:
            _write_at(self._file, _HEADER, 0)
            end = len(_HEADER)
        return end

    def _index(self, line: bytes, offset: int, number: int) -> list[int]:
        """Take an answer in, and return the place that it stands in for, if any."""
        match = _LINE.match(line)
        if match is None:
            raise OutputExistsError(f"{self.path}:{number}: not a line of a journal: {line!r:.60}")
        if match[4] == b"failure":
            _put(self._failures, int(match[2]), offset)
            return []
        _put(self._numbers, int(match[2]), len(self._keys))
        self._keys.append(int(match[1][:16], 16))
        self._offsets.append(offset)
        return [int(match[3])] if match[3] else []

    def _drop(self, replaced: list[int]) -> None:
        found = [bisect_left(self._offsets, offset) for offset in replaced]
        for at, offset in zip(found, replaced, strict=True):
            if at < len(self._offsets) and self._offsets[at] == offset:
                self._offsets[at] = _NOWHERE


def read_places(path: Path, start: int = 0) -> Iterator[tuple[int, int, bool]]:
    """Of each record its row, its offset, and whether it is an answer, beside whoever writes.

    `start` is an offset at which a line begins. A file that is not there holds nothing.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(start)
        for offset, line in _whole_lines(file):
            match = _LINE.match(line)
            if match is not None:
                yield int(match[2]), start + offset, match[4] == b"completion"


def read_record(file: int, offset: int) -> dict[str, Any]:
    """The record at an offset of a journal that is open as a file descriptor."""
    record: dict[str, Any] = orjson.loads(_read_line(file, offset))
    return record


def _whole_lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Each line and how far it stands from where reading began; not a torn last one."""
    offset = 0
    for line in file:
        if line.endswith(b"\n"):
            yield offset, line
        offset += len(line)


def _put(values: array[int], index: int, value: int) -> None:
    missing = index + 1 - len(values)
    if missing > 0:
        values.extend([_NOWHERE] * missing)
    values[index] = value


def _open_locked(path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StorageError(f"{path}: cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise OutputExistsError(f"{path}: another process works on this output") from None
    return handle


def _check_header(line: bytes, path: Path) -> None:
    if line != _HEADER:
        raise OutputExistsError(f"{path}: not a journal of this program; move it away")


def _write_at(file: int, line: bytes, offset: int) -> None:
    """All of a line, which the disk may take in parts. The place is ours to say: after a line that
    was taken back, the file's own position would leave a hole.
    """
    written = 0
    while written < len(line):
        written += os.pwrite(file, line[written:], offset + written)


def _read_line(file: int, offset: int) -> bytes:
    size = 4096
    while True:
        chunk = os.pread(file, size, offset)
        end = chunk.find(b"\n")
        if end >= 0:
            return chunk[:end]
        size *= 4
