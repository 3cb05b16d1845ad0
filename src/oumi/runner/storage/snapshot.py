"""What a journal holds at one moment, read beside the run that may be writing it.

The journal's lock is not asked for, and nothing is written. The file is gone through once; 16
bytes a row stay in memory.
"""

from __future__ import annotations

import os
import weakref
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure, Failures
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source
from oumi.runner.storage.atomic import storage_errors
from oumi.runner.storage.journal_lines import read_places, read_record
from oumi.runner.storage.row_store import Answers, ContractAt, any_answer
from oumi.structured.contract import type_of_answers
from oumi.structured.finish import finish_record, record_is_valid

_NOWHERE = 0  # where the header stands


class JournalSnapshot:
    """What became of each of `total` rows; `missing` is why one without a record has none.

    `places` gives of each record its row, its offset, and whether it is an answer, where the rows
    have other numbers than in the journal. An answer that is not valid is none yet: its row is
    asked further. Raises StorageError.
    """

    def __init__(
        self,
        journal: Path,
        total: int,
        missing: Failure,
        contract_at: ContractAt = any_answer,
        places: Iterable[tuple[int, int, bool]] | None = None,
    ):
        self.contract_at = contract_at
        self._missing = missing
        self._path = journal
        self._places, is_answer = array("Q", bytes(8 * total)), bytearray(total)
        with storage_errors(journal):
            self._file = os.open(journal, os.O_RDONLY | os.O_CLOEXEC) if journal.exists() else -1
            if self._file >= 0:
                weakref.finalize(self, os.close, self._file)
            for row, place, is_completion in places or read_places(journal):
                if row < total:
                    self._places[row], is_answer[row] = place, is_completion
        for row in range(total):
            if is_answer[row] and not self._fits(row):
                self._places[row], is_answer[row] = _NOWHERE, False
        self.answered = array("Q", (row for row in range(total) if is_answer[row]))
        """The rows with an answer, in input order."""
        self.unanswered = array("Q", (row for row in range(total) if not is_answer[row]))
        """The rows without one, in input order."""

    @property
    def failed(self) -> int:
        """How many rows have failed."""
        return len(self._places) - self._places.count(_NOWHERE) - len(self.answered)

    def read(self, row: int) -> Mapping[str, Any]:
        """The row's `completion` or its `failure`."""
        if self._places[row] == _NOWHERE:
            return {"failure": self._missing.to_dict()}
        with storage_errors(self._path):
            return read_record(self._file, self._places[row])

    def result(self, source: Source) -> InferenceResult:
        """All rows, read as they are looked at."""
        conversations = SnapshotConversations(source, self)
        return InferenceResult(conversations, self.answered, SnapshotFailures(self))

    def _fits(self, row: int) -> bool:
        contract = self.contract_at(row)
        if contract is None:
            return True
        return record_is_valid(contract, self.read(row)["completion"])


def outcome_in(answers: Answers, row: int) -> Completion | Failure | None:
    """What is recorded of a row, as an object; None for nothing."""
    record = answers.read(row)
    if "completion" in record:
        return Completion.from_dict(record["completion"])
    return Failure.from_dict(record["failure"]) if "failure" in record else None


class SnapshotConversations(Sequence[Conversation]):
    """The rows that have an answer, joined to it as they are looked at."""

    def __init__(self, source: Source, recorded: JournalSnapshot):
        self._source = source
        self._recorded = recorded

    def __len__(self) -> int:
        return len(self._recorded.answered)

    def __iter__(self) -> Iterator[Conversation]:
        lines = enumerate(self._source.lines())
        for row in self._recorded.answered:
            text = next(text for number, (_, text) in lines if number == row)
            yield self._join(row, text)

    @overload
    def __getitem__(self, index: int) -> Conversation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Conversation]: ...
    def __getitem__(self, index: int | slice) -> Conversation | list[Conversation]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = self._recorded.answered[index]
        return self._join(row, self._source.line_of(row))

    def _join(self, row: int, text: bytes) -> Conversation:
        contract = self._recorded.contract_at(row)
        answer = finish_record(contract, self._recorded.read(row)["completion"])
        answered = Completion.from_dict(answer).join(Conversation.from_json(text))
        return answered.with_answer_type(type_of_answers(contract))


class SnapshotFailures(Failures):
    """Why the others have none, by row, read as they are looked at."""

    def __init__(self, recorded: JournalSnapshot):
        self._recorded = recorded

    def __len__(self) -> int:
        return len(self._recorded.unanswered)

    def _rows(self) -> Iterable[int]:
        return self._recorded.unanswered

    def __getitem__(self, row: int) -> Failure:
        rows = self._recorded.unanswered
        at = bisect_left(rows, row)
        if at == len(rows) or rows[at] != row:
            raise KeyError(row)
        return Failure.from_dict(self._recorded.read(row)["failure"])
