"""The journal: every answer on disk, one JSON line a row, before anything else happens to it.

A row may have several lines: an answer that is not valid is followed by one that holds both it and
the next answer, and that names as `replaces` where the line begins that it stands for. Lines are
only ever added. Each is handed to the system by a write of its own, so that a killed process loses
nothing, and the file is synced about once a second, so that a power cut loses little. A torn last
line is cut off when the journal is opened. A line whose checksum is wrong stays where it is and
counts for nothing: its row is asked again.

In memory a row takes 8 bytes, the place of its line, and 8 more while answers of earlier runs are
unclaimed. A row is looked up under its number first; where the input was reordered or extended,
under its key.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oumi.core.json_text import parse_json
from oumi.core.logs import logger
from oumi.core.types.answer import Answer, answer_in
from oumi.core.types.completion import Completion
from oumi.core.types.failure import Failure
from oumi.errors import OutputExistsError, StorageError
from oumi.runner.storage.atomic import reason_of, storage_errors, sync_file, write_error
from oumi.runner.storage.journal_lines import (
    HEADER,
    HEADERS,
    READ_AHEAD_BYTES,
    JournalLine,
    LineReader,
    read_line,
    read_note,
    whole_lines,
    write_at,
    write_line,
    write_record,
)
from oumi.runner.storage.lock import Lock, holder_of, try_lock
from oumi.runner.storage.record_table import RecordTable
from oumi.structured.contract import Contract
from oumi.structured.finish import ValidRecord, record_is_valid

_KEPT = "What was recorded before is intact"


class Journal:
    """The journal of one output file, locked for this process while it is open.

    Raises OutputExistsError for a file that is no journal or is in use by another process, and
    StorageError where the disk refuses a line; the lines before it are intact.
    """

    def __init__(self, path: Path):
        self.path = path
        self._records = RecordTable()
        self._open: set[int] = set()  # rows whose answers from before are not the last word
        self.notes: dict[str, Any] = {}
        """The last note of each name."""
        self._lock = self._take_lock()
        self._lines = LineReader(self._lock.file)
        try:
            with storage_errors(path, "cannot be opened"):
                self._end = self._load()
        except BaseException:
            self._lock.release()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Sync and let go of the file. Raises StorageError."""
        if self._lock.file >= 0:
            try:
                self.sync()
            finally:
                self._lock.release()

    def sync(self) -> None:
        """Bring what was written to the disk itself. Raises StorageError."""
        try:
            sync_file(self._lock.file)
        except OSError as error:
            raise write_error(self.path, "cannot be synced to the disk", error, _KEPT) from error

    @property
    def unclaimed(self) -> int:
        """How many answers of earlier runs no row of this one has claimed."""
        return self._records.unclaimed

    def claim(self, row: int, key: str) -> bool:
        """Whether an answer to this row is recorded; if so, it is this row's from now on."""
        return self._records.claim(row, int(key[:16], 16))

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
        return self._records.claim_failure(row)

    def holds(self, row: int) -> bool:
        """Whether this row of this run has a record, and is not open."""
        return self._records.get(row) is not None and row not in self._open

    def earlier_answer(self, row: int) -> Completion | None:
        """The answers from before of an open row."""
        if row not in self._open:
            return None
        return Completion.from_dict(self.read(row)["completion"])

    def append(self, row: int, key: str, answer: Answer, **facts: Any) -> None:
        """Write an answer, in place of the row's record from before. Raises StorageError."""
        record: dict[str, Any] = {"key": key, "row": row}
        if (place := self._records.get(row)) is not None:
            record["replaces"] = place
        record[answer.record_name] = answer.to_dict()
        record |= facts
        self._write(row, record)

    def note_valid(self, row: int) -> None:
        """Note that the row's answer was judged, and is valid exactly as it is."""
        self._records.note_valid(row)

    def append_failure(self, row: int, key: str, failure: Failure, **facts: Any) -> None:
        """Write a failure; the row is asked again by the next run. Raises StorageError."""
        self._write(row, {"key": key, "row": row, "failure": failure.to_dict(), **facts})

    def places(self, total: int) -> Iterator[tuple[int, int, bool]]:
        """Of each record of this run's `total` rows its row, its offset, and whether it is an
        answer.
        """
        for row in range(total):
            if (place := self._records.get(row)) is not None:
                yield row, place, answer_in(self.read(row)) is not None

    def append_note(self, name: str, value: Any) -> None:
        """Record what holds from here on. Raises StorageError."""
        self._append_line(write_line({name: value}))
        self.notes[name] = value

    def read(self, row: int) -> dict[str, Any]:
        """The last record of a row of this run, with its `completion` or its `failure`; empty
        where there is none.
        """
        found = self._records.find(row)
        if found is None:
            return {}
        place, is_valid = found
        try:
            record: dict[str, Any] = parse_json(self._lines.read(place))
        except OSError as error:
            raise StorageError(f"{self.path}: cannot be read: {reason_of(error)}") from error
        if is_valid:
            record["completion"] = ValidRecord(record["completion"])
        return record

    def _take_lock(self) -> Lock:
        lock = try_lock(self.path)
        if lock is None:
            raise OutputExistsError(f"{self.path}: {holder_of(self.path)} works on this output")
        return lock

    def _write(self, row: int, record: dict[str, Any]) -> None:
        self._records[row] = self._append_line(write_record(record))
        self._open.discard(row)

    def _append_line(self, line: bytes) -> int:
        """Write a line, and return where it begins."""
        start = self._end
        self._lock.check()
        try:
            write_at(self._lock.file, line, start)
        except OSError as error:
            with contextlib.suppress(OSError):  # a torn line is cut off by the next run as well
                os.ftruncate(self._lock.file, start)
            raise write_error(self.path, "an answer cannot be recorded", error, _KEPT) from error
        self._end = start + len(line)
        return start

    def _load(self) -> int:
        """Index the answers, cut a torn last line off, and return where the file ends."""
        end, is_journal = 0, False
        damaged: list[int] = []
        moved: list[int] = []
        with os.fdopen(os.dup(self._lock.file), "rb", READ_AHEAD_BYTES) as file:
            file.seek(0)
            for number, (offset, text) in enumerate(whole_lines(file), start=1):
                end = offset + len(text)
                if number == 1 and text in HEADERS:
                    is_journal = True
                elif (line := read_line(text)) is not None:
                    self._index(line, offset, moved)
                    is_journal = is_journal or line.has_checksum
                elif (note := read_note(text)) is not None:
                    self.notes |= note
                    is_journal = True
                else:
                    damaged.append(number)
        if moved:
            self._records.drop(moved)
        if end:
            _check_lines(self.path, damaged, is_journal=is_journal)
        return self._start_at(end)

    def _start_at(self, end: int) -> int:
        """Have the file end with its last whole line, the header at least."""
        if end == 0:
            _check_torn_header(self._lock.file, self.path)
        os.ftruncate(self._lock.file, end)
        if end == 0:
            write_at(self._lock.file, HEADER, 0)
        return end or len(HEADER)

    def _index(self, line: JournalLine, offset: int, moved: list[int]) -> None:
        """Add the record of a line. What it replaces goes at once, or, where that had another
        number, to `moved`.
        """
        if not line.is_answer:
            self._records.add_failure(line.row, offset)
            return
        replaced = line.replaces
        if replaced is not None and not self._records.drop_at(line.row, replaced):
            moved.append(replaced)
        self._records.add_answer(line.row, line.key, offset)


def _check_lines(path: Path, damaged: list[int], *, is_journal: bool) -> None:
    if not is_journal:
        raise _not_a_journal(path)
    if damaged:
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        logger.warning(
            "%s:%d: the line is damaged%s. It is left where it is and counts for nothing: its row "
            "is asked again",
            path,
            damaged[0],
            more,
        )


def _check_torn_header(file: int, path: Path) -> None:
    """A file without a whole line is a journal that was cut off in its header, or none."""
    if not HEADER.startswith(os.pread(file, len(HEADER), 0)):
        raise _not_a_journal(path)


def _not_a_journal(path: Path) -> OutputExistsError:
    return OutputExistsError(f"{path}: not a journal of this program; move it away")
