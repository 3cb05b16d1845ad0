"""JSONL files: one conversation a line, read and written."""

from __future__ import annotations

import contextlib
import re
import shutil
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from io import BufferedReader
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from oumi.core.digest import new_digest
from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import answer_metadata
from oumi.core.types.conversation import Conversation
from oumi.data.held_blocks import HeldBlocks
from oumi.data.other_formats import other_format, other_row
from oumi.data.sink import failure_record
from oumi.data.source import NO_MESSAGES, Row, Source
from oumi.errors import InputError

_MARKED_ROWS = 4096
"""A row is found again by passing over so many lines at most, which takes a millisecond."""

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BOM = b"\xef\xbb\xbf"


class _Mark(NamedTuple):
    """Where a row begins."""

    row: int
    line: int
    """How many lines stand before it."""
    offset: int


class JsonlSource(Source):
    """A JSONL file of any size. Empty lines are passed over. It is opened once and held."""

    def __init__(self, path: Path, name: str | None = None):
        self.path = path
        self.paths = (path,)
        self.name = name or str(path)
        self._blocks = HeldBlocks(path, self.name)
        self._marks = [_Mark(0, 0, 0)]

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` on. One that cannot be read is a row with an error."""
        mark = self._marks[bisect_right(self._marks, start, key=attrgetter("row")) - 1]
        file = self._blocks.open()
        file.seek(mark.offset)
        lines = self._number_rows(file, mark)
        return _parse_rows(islice(lines, start - mark.row, None), self.name, start)

    @property
    def estimated_rows(self) -> int:
        """About how many rows there are, from the length of the first ones."""
        return self._blocks.estimate_lines()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The same rows as JSON text, unchecked, each with the number of its line."""
        return _number_rows(self._blocks.open())

    def place(self, row: Row) -> str:
        """The file and the line."""
        return f"{self.name}:{row.line}"

    def fingerprint(self) -> str:
        """A hash of the content."""
        return self._blocks.digest()

    def copy_to(self, file: BinaryIO) -> None:
        """Copy the file byte by byte."""
        shutil.copyfileobj(self._blocks.open(), file)

    def _number_rows(self, file: BufferedReader, mark: _Mark) -> Iterator[tuple[int, bytes]]:
        """The lines that hold a row from a mark on, each with its number. Further marks are set."""
        lines, row = _number_rows(file, mark.line), mark.row
        for number, line in lines:
            if row > self._marks[-1].row:
                self._marks.append(_Mark(row, number - 1, file.tell() - len(line)))
            yield number, line
            yield from islice(lines, _MARKED_ROWS - 1)
            row += _MARKED_ROWS

    def line_of(self, index: int) -> bytes:
        """One row as JSON text. The first call goes through the file; 8 bytes a row stay."""
        offset = self._offsets[index]
        file = self._blocks.open()
        file.seek(offset)
        line = file.readline()
        return line.removeprefix(_BOM if offset == 0 else b"")

    @cached_property
    def _offsets(self) -> array[int]:
        """Where each row begins in the file, in bytes."""
        offsets, offset = array("Q"), 0
        for line in self._blocks.open():
            if not line.isspace():
                offsets.append(offset)
            offset += len(line)
        return offsets


def parse_rows(lines: Iterable[bytes], name: str) -> Iterator[Row]:
    """The rows of JSONL text. One that cannot be read is a row with an error, which says where in
    the file called `name` it stands. Raises InputError for a file in another format.
    """
    return _parse_rows(_number_rows(lines), name)


def _parse_rows(lines: Iterable[tuple[int, bytes]], name: str, start: int = 0) -> Iterator[Row]:
    for index, (number, line) in enumerate(lines, start):
        if index == 0 and (what := other_format(line)):
            raise InputError(f"{name}: {what}")
        try:
            conversation = Conversation.model_validate_json(line)
        except Exception as error:  # whatever is wrong with a row, the others go on
            reason = _describe(error, line)
        else:
            if conversation.messages:
                yield Row(index, conversation, None, number)
                continue
            reason = NO_MESSAGES
        yield Row(index, None, InputError(f"{name}:{number}: {reason}"), number)


def _number_rows(lines: Iterable[bytes], before: int = 0) -> Iterator[tuple[int, bytes]]:
    """The lines that hold a row, each with its number, where so many lines stand before them."""
    for number, line in enumerate(lines, before + 1):
        if not line.isspace():
            yield number, line.removeprefix(_BOM) if number == 1 else line


class JsonlSink:
    """Writes finished conversations to one file and failed rows to another."""

    def __init__(self, answers: BinaryIO, failures: BinaryIO, source: Source | None = None):
        self._answers = answers
        self._failures = failures
        self._num_samples = 1 if source is None else source.num_samples
        self._digest = new_digest()

    @property
    def digest(self) -> str:
        """A hash of all answers that were written."""
        return self._digest.hexdigest()

    def rows(self, source: Source) -> Iterator[tuple[int | None, bytes]]:
        """The conversations as JSON text."""
        return source.lines()

    def add_answer(self, line: bytes, answer: Mapping[str, Any]) -> None:
        """Write the conversation with its answer: what `Completion.join` does, on JSON values."""
        row = from_json(line)
        if "prefill" in answer:
            row["messages"].pop()
        row["messages"].append(answer["message"])
        row["metadata"] = answer_metadata(row.get("metadata") or {}, answer)
        text = write_json(row) + b"\n"
        self._digest.update(text)
        self._answers.write(text)

    def add_failure(
        self, index: int, number: int | None, line: bytes, failure: Mapping[str, Any]
    ) -> None:
        """Write the row's number, its line in the input, the reason, and the conversation."""
        record = failure_record(index, self._num_samples, number, failure)
        with contextlib.suppress(ValueError):  # a row that is not JSON failed because of that
            record["conversation"] = from_json(line)
        self._failures.write(write_json(record) + b"\n")

    def finish(self) -> None:
        """Nothing is left to write."""


def _describe(error: Exception, line: bytes) -> str:
    """What is wrong with a line, by the field."""
    try:
        value = parse_json(line)
    except ValueError as json_error:
        hint = "" if line.endswith(b"\n") else " (the line may be cut off)"
        if _SURROGATE.search(line):
            hint = " (half of a surrogate pair, such as \\ud83d alone, is no character)"
        return f"not JSON: {json_error}{hint}"
    if other := other_row(value):
        return other
    if not isinstance(error, ValidationError):
        return f"not a conversation: {error}"
    detail = error.errors()[0]
    field = ".".join(str(part) for part in detail["loc"])
    given = "" if isinstance(detail["input"], dict) else f" (given: {detail['input']!r:.60})"
    return f"{field}: {detail['msg'].removeprefix('Value error, ')}{given}"
