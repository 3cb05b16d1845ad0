"""Answers and failures on disk, read as they are looked at, so that memory does not grow."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Never, overload

import orjson

from oumi.core.answer_type import AnswerType
from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure, Failures
from oumi.data.source import SAMPLE
from oumi.errors import StorageError
from oumi.runner.storage.atomic import storage_errors


class LazyConversations(Sequence[Conversation]):
    """The conversations of an output file; 8 bytes each in memory. Their answers are of
    `answer_type`, if of any.

    Raises StorageError where the file can no longer be read.
    """

    def __init__(self, path: Path, count: int, answer_type: AnswerType | None = None):
        self.path = path
        self._count = count
        self._answer_type = answer_type

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Conversation]:
        with storage_errors(self.path), self.path.open("rb") as file:
            for line in file:
                yield self._read(line)

    @overload
    def __getitem__(self, index: int) -> Conversation: ...
    @overload
    def __getitem__(self, index: slice) -> list[Conversation]: ...
    def __getitem__(self, index: int | slice) -> Conversation | list[Conversation]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        with storage_errors(self.path), self.path.open("rb") as file:
            file.seek(self._offsets[range(len(self))[index]])
            return self._read(file.readline())

    def _read(self, line: bytes) -> Conversation:
        return Conversation.from_json(line).with_answer_type(self._answer_type)

    @cached_property
    def _offsets(self) -> array[int]:
        offsets = array("Q")
        offset = 0
        with storage_errors(self.path), self.path.open("rb") as file:
            for line in file:
                offsets.append(offset)
                offset += len(line)
        return offsets


class MissingAnswers(Sequence[Any]):
    """Those of a table whose journal was removed: their number is known, and no more. `what` they
    would be is for the error.
    """

    def __init__(self, path: Path, count: int, what: str):
        self.path = path
        self._count = count
        self._what = what

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: object) -> Never:
        raise StorageError(
            f"{self.path}: the answers are in this table; the journal, from which {self._what} are "
            "read, was removed"
        )


class LazyFailures(Failures):
    """The failures of a run by row, from its failures file; empty where there is none. Of `samples`
    a row, each is a row of its own.
    """

    def __init__(self, path: Path, num_samples: int = 1):
        self.path = path
        self._num_samples = num_samples

    def __len__(self) -> int:
        return len(self._by_row)

    def _rows(self) -> Iterable[int]:
        return self._by_row

    def __getitem__(self, row: int) -> Failure:
        return self._by_row[row]

    @cached_property
    def _by_row(self) -> dict[int, Failure]:
        if not self.path.exists():
            return {}
        with storage_errors(self.path), self.path.open("rb") as file:
            lines = (orjson.loads(line) for line in file)
            return {self._number(line): Failure.from_dict(line["failure"]) for line in lines}

    def _number(self, line: Mapping[str, Any]) -> int:
        number: int = line["row"] * self._num_samples + line.get(SAMPLE, 0)
        return number
