"""What a journal holds at this moment, read beside the run that may be writing it.

The journal's lock is not asked for, and nothing is written. The file is gone through once; 16
bytes a row stay in memory.
"""

from __future__ import annotations

import contextlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import overload

from oumi.core.types.completion import Completion, Failure, InferenceResult
from oumi.core.types.conversation import Conversation
from oumi.runner.journal import read_places, read_record
from oumi.runner.sources import FileSource
from oumi.structured.expectation import Expectation
from oumi.structured.finish import finish_record, fits

_NOWHERE = 0  # where the header stands


def read_result(
    source: FileSource,
    journal: Path,
    total: int,
    missing: Failure,
    expectation: Expectation | None = None,
) -> InferenceResult:
    """All rows of a run with `total` of them; `missing` is why the others have not ended."""
    places, answered = _index(journal, total, expectation)
    done = array("Q", (row for row in range(total) if answered[row]))
    failed = array("Q", (row for row in range(total) if not answered[row]))
    conversations = RecordedConversations(source, journal, _Places.of(done, places), expectation)
    failures = RecordedFailures(journal, _Places.of(failed, places), missing)
    return InferenceResult(conversations, done, failures)


def count_records(
    journal: Path, total: int, expectation: Expectation | None = None
) -> tuple[int, int]:
    """How many rows have an answer, and how many failed."""
    places, answered = _index(journal, total, expectation)
    done = answered.count(1)
    return done, total - places.count(_NOWHERE) - done


def _index(
    journal: Path, total: int, expectation: Expectation | None
) -> tuple[array[int], bytearray]:
    """Of each row, where its last record stands, and whether it is an answer."""
    places, answered = array("Q", bytes(8 * total)), bytearray(total)
    for row, offset, is_answer in read_places(journal):
        places[row], answered[row] = offset, is_answer
    if expectation is not None:
        _drop_misfits(journal, places, answered, expectation)
    return places, answered


def _drop_misfits(
    journal: Path, places: array[int], answered: bytearray, expectation: Expectation
) -> None:
    """Rows with an answer that does not fit have not ended: they are asked further."""
    rows = [row for row, is_answer in enumerate(answered) if is_answer]
    with _reading(journal) as file:
        for row in rows:
            if not fits(expectation, read_record(file, places[row])["completion"]):
                places[row], answered[row] = _NOWHERE, False


@dataclass(frozen=True, slots=True)
class _Places:
    """Rows in input order, and where the record of each stands."""

    rows: array[int]
    offsets: array[int]

    @classmethod
    def of(cls, rows: array[int], places: array[int]) -> _Places:
        return cls(rows, array("Q", (places[row] for row in rows)))


class RecordedConversations(Sequence[Conversation]):
    """The rows that have an answer, joined to it as they are looked at."""

    def __init__(
        self,
        source: FileSource,
        journal: Path,
        places: _Places,
        expectation: Expectation | None,
    ):
        self._source = source
        self._journal = journal
        self._places = places
        self._expectation = expectation

    def __len__(self) -> int:
        return len(self._places.rows)

    def __iter__(self) -> Iterator[Conversation]:
        lines = enumerate(self._source.lines())
        with _reading(self._journal) as journal:
            for row, offset in zip(self._places.rows, self._places.offsets, strict=True):
                text = next(text for number, (_, text) in lines if number == row)
                yield self._join(text, journal, offset)

    @overload
    def __getitem__(self, index: int) -> Conversation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Conversation]: ...
    def __getitem__(self, index: int | slice) -> Conversation | list[Conversation]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row, offset = self._places.rows[index], self._places.offsets[index]
        text = self._source.line_at(self._begins[row])
        with _reading(self._journal) as journal:
            return self._join(text, journal, offset)

    def _join(self, text: bytes, journal: int, offset: int) -> Conversation:
        record = finish_record(self._expectation, read_record(journal, offset)["completion"])
        return Completion.from_dict(record).join(Conversation.from_json(text))

    @cached_property
    def _begins(self) -> array[int]:
        return self._source.places()


class RecordedFailures(Mapping[int, Failure]):
    """Why the others have none, by row, read as they are looked at."""

    def __init__(self, journal: Path, places: _Places, missing: Failure):
        self._journal = journal
        self._places = places
        self._missing = missing

    def __len__(self) -> int:
        return len(self._places.rows)

    def __iter__(self) -> Iterator[int]:
        return iter(self._places.rows)

    def __getitem__(self, row: int) -> Failure:
        rows, offsets = self._places.rows, self._places.offsets
        at = bisect_left(rows, row)
        if at == len(rows) or rows[at] != row:
            raise KeyError(row)
        if offsets[at] == _NOWHERE:
            return self._missing
        with _reading(self._journal) as journal:
            return Failure.from_dict(read_record(journal, offsets[at])["failure"])


@contextlib.contextmanager
def _reading(journal: Path) -> Iterator[int]:
    """The open file of a journal; where there is none, it holds nothing that could be read."""
    if not journal.exists():
        yield -1
        return
    with journal.open("rb") as file:
        yield file.fileno()
