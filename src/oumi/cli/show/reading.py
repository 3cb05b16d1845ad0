"""The rows of what `oumi show` is given: conversations, tables, failures or a journal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.json_text import parse_json, write_json
from oumi.core.types.answer import completion_in
from oumi.core.types.completion import Completion, answer_metadata
from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure
from oumi.data.jsonl import JsonlSource, parse_rows
from oumi.data.records.formats import SUFFIXES, open_records
from oumi.errors import InputError
from oumi.runner.storage.journal_lines import HEADERS, read_line, whole_lines

_FAILURES = ".failures.jsonl"
_JSON_LINES = (".jsonl", ".ndjson")


class ShownRow(NamedTuple):
    """A row of any of these."""

    number: int
    """Its place in the input, from 1."""
    conversation: Conversation | None = None
    failure: Failure | None = None
    columns: Mapping[str, Any] | None = None
    """The values of a table's row that is no conversation."""

    @property
    def has_failed(self) -> bool:
        """Whether it has no answer, for a reason that is known."""
        return self.failure is not None or bool((self.columns or {}).get("error"))


def read_shown(file: str) -> Iterator[ShownRow]:
    """The rows of a file, or of standard input. Raises InputError."""
    if file == STANDARD_STREAM:
        yield from _conversations(parse_rows(sys.stdin.buffer, "standard input"))
        return
    yield from _reader_of(Path(file))(Path(file))


def failures_beside(file: str) -> str:
    """The file with the failures of an output, or what was given if it holds some itself.

    Raises InputError where no row failed.
    """
    path = Path(file)
    if file == STANDARD_STREAM or file.endswith(_FAILURES) or _is_journal(path):
        return file
    beside = path.with_name(path.name + _FAILURES)
    if beside.exists():
        return str(beside)
    if _is_table(path):
        return file
    raise InputError(f"{file}: no row failed: there is no {beside.name}")


def _reader_of(path: Path) -> Callable[[Path], Iterator[ShownRow]]:
    if _is_journal(path):
        return _journal
    if path.name.endswith(_FAILURES):
        return _failures
    if _is_table(path):
        return _table
    return lambda path: _conversations(JsonlSource(path).rows())


def _is_journal(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(HEADERS[0])) in HEADERS


def _is_table(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in SUFFIXES and suffix not in _JSON_LINES


def _conversations(rows: Iterator[Any]) -> Iterator[ShownRow]:
    for row in rows:
        if row.conversation is None:
            raise row.error or InputError("a row without a conversation")
        yield ShownRow(row.index + 1, row.conversation)


def _table(path: Path) -> Iterator[ShownRow]:
    for number, record in enumerate(open_records(path), 1):
        if record.problem is not None:
            raise InputError(f"{path}:{record.line or number}: {record.problem}")
        yield ShownRow(number, columns=record.columns)


def _failures(path: Path) -> Iterator[ShownRow]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                data = parse_json(line)
                failure = Failure.from_dict(data["failure"])
                asked = _as_conversation(data.get("conversation"))
                yield ShownRow(data["row"] + 1, asked, failure)
            except (ValueError, LookupError, TypeError) as error:
                raise InputError(f"{path}:{number}: no failure of a run: {error!r:.200}") from error


def _journal(path: Path) -> Iterator[ShownRow]:
    """What was recorded, in the order in which it was; of a row its last line only."""
    with path.open("rb") as file:
        lines = ((offset, read_line(line)) for offset, line in whole_lines(file))
        last = {line.row: offset for offset, line in lines if line is not None}
    with path.open("rb") as file:
        for offset, text in whole_lines(file):
            line = read_line(text)
            if line is not None and last[line.row] == offset:
                yield _recorded(line.row + 1, parse_json(text))


def _recorded(number: int, record: Mapping[str, Any]) -> ShownRow:
    if "failure" in record:
        return ShownRow(number, failure=Failure.from_dict(record["failure"]))
    completion = completion_in(record) or {}
    answer = Completion.from_dict(completion).message
    metadata = answer_metadata({}, completion)
    return ShownRow(number, Conversation(messages=[answer], metadata=metadata))


def _as_conversation(data: Any) -> Conversation | None:
    """The conversation of a failed row; None for one that could not be read for being none."""
    try:
        return Conversation.from_json(write_json(data))
    except (ValidationError, ValueError):
        return None
