"""Where rows come from: a list, or a JSONL file of any size that is read more than once."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import orjson
from pydantic import ValidationError

from oumi.core.configs import InferenceConfig
from oumi.core.digest import file_digest, new_digest
from oumi.core.types.conversation import Conversation
from oumi.errors import ConfigError, InputError

STANDARD_STREAM = "-"

_MOST_ERRORS_SHOWN = 10
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the input: a conversation, or why it is none. `index` counts from 0."""

    index: int
    conversation: Conversation | None
    error: InputError | None = None
    line: int | None = None


class Source(Protocol):
    """Rows that can be gone through any number of times."""

    def rows(self) -> Iterator[Row]:
        """The rows, from the first one."""
        ...

    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The same rows as JSON text, unchecked, each with the number of its line if it has one."""
        ...

    def fingerprint(self) -> str:
        """A hash of the content."""
        ...


class ListSource:
    """Conversations in memory."""

    def __init__(self, conversations: Sequence[Conversation]):
        self._conversations = conversations

    def rows(self) -> Iterator[Row]:
        """The rows, from the first one."""
        for index, conversation in enumerate(self._conversations):
            yield Row(index, conversation)

    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The same rows as JSON text."""
        for conversation in self._conversations:
            yield None, conversation.to_json().encode()

    def fingerprint(self) -> str:
        """A hash of the content."""
        digest = new_digest()
        for conversation in self._conversations:
            digest.update(conversation.to_json().encode())
        return digest.hexdigest()


class FileSource:
    """A JSONL file: one conversation a line, empty lines passed over. Errors call it `name`."""

    def __init__(self, path: Path, name: str | None = None):
        self.path = path
        self.name = name or str(path)

    def rows(self) -> Iterator[Row]:
        """The rows, from the first one; a line that cannot be read is a row with an error."""
        for index, (number, line) in enumerate(self.lines()):
            yield self._parse(index, number, line)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The same rows as JSON text, unchecked, each with the number of its line."""
        with _open(self.path) as file:
            for number, line in enumerate(file, start=1):
                if not line.isspace():
                    yield number, line.removeprefix(_BOM) if number == 1 else line

    def places(self) -> array[int]:
        """Where each row begins in the file; 8 bytes each."""
        places, offset = array("Q"), 0
        with _open(self.path) as file:
            for line in file:
                if not line.isspace():
                    places.append(offset)
                offset += len(line)
        return places

    def line_at(self, place: int) -> bytes:
        """The row that begins at a place."""
        with _open(self.path) as file:
            file.seek(place)
            return file.readline().removeprefix(_BOM if place == 0 else b"")

    def fingerprint(self) -> str:
        """A hash of the content."""
        _open(self.path).close()
        return file_digest(self.path)

    def _parse(self, index: int, number: int, line: bytes) -> Row:
        try:
            return Row(index, Conversation.model_validate_json(line), line=number)
        except ValidationError as error:
            reason = _describe(error, line)
        return Row(index, None, InputError(f"{self.name}:{number}: {reason}"), number)


def check(source: Source, *, bad_rows_fail: bool = False) -> int:
    """Read all rows once and count them, before anything is sent.

    Raises InputError for an input without rows, for ids that stand twice, and for rows that
    cannot be read, unless those are to fail alone.
    """
    errors: list[str] = []
    ids = _IdSet()
    count = 0
    for row in source.rows():
        count += 1
        if row.error is not None and len(errors) <= _MOST_ERRORS_SHOWN:
            errors.append(str(row.error))
        elif row.conversation is not None and row.conversation.conversation_id is not None:
            ids.add(row.conversation.conversation_id)
    if count == 0 and isinstance(source, FileSource):
        raise InputError(f"{source.name}: no conversations in it")
    if errors and not bad_rows_fail:
        raise InputError(_list(errors))
    if ids.has_twins():
        raise InputError(_list(_find_twins(source)))
    return count


@contextlib.contextmanager
def open_source(
    conversations: Sequence[Conversation] | None, config: InferenceConfig, spooled: Path | None
) -> Iterator[Source]:
    """What the caller named: a list, a file, or standard input, which was spooled before."""
    if conversations is not None:
        yield ListSource(conversations)
    elif config.input_path is None:
        raise ConfigError("no conversations: give a list, or set input_path")
    elif spooled is not None:
        try:
            yield FileSource(spooled, "standard input")
        finally:
            spooled.unlink()
    else:
        yield FileSource(Path(config.input_path))


def spool(conversations: Sequence[Conversation] | None, config: InferenceConfig) -> Path | None:
    """Standard input as a temporary file, where that is the input.

    To be called in the caller's own thread, where a Ctrl-C ends the wait for input.
    """
    if conversations is None and config.input_path == STANDARD_STREAM:
        return _spool_stdin()
    return None


def _spool_stdin() -> Path:
    handle, name = tempfile.mkstemp(prefix="oumi-", suffix=".jsonl")
    try:
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


class _IdSet:
    """Hashes of ids, 8 bytes each, in 256 parts so that each part is small to sort."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(256)]

    def add(self, name: str) -> None:
        value = hash(name)
        self._parts[value & 255].append(value)

    def has_twins(self) -> bool:
        return any(len(set(part)) < len(part) for part in self._parts)


def _find_twins(source: Source) -> list[str]:
    first: dict[str, str] = {}
    twins = []
    for row in source.rows():
        name = row.conversation.conversation_id if row.conversation else None
        if name is None:
            continue
        place = _place(source, row)
        if name in first:
            twins.append(f"{place}: conversation_id {name!r} stands already at {first[name]}")
        first.setdefault(name, place)
        if len(twins) > _MOST_ERRORS_SHOWN:
            break
    return twins


def _place(source: Source, row: Row) -> str:
    return f"{source.name}:{row.line}" if isinstance(source, FileSource) else f"row {row.index}"


def _list(errors: list[str]) -> str:
    more = "\n… and more" if len(errors) > _MOST_ERRORS_SHOWN else ""
    return "\n".join(errors[:_MOST_ERRORS_SHOWN]) + more


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _describe(error: ValidationError, line: bytes) -> str:
    """What is wrong with a line, by the field."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as json_error:
        torn = "" if line.endswith(b"\n") else " (the line may be cut off)"
        return f"not JSON: {json_error}{torn}"
    if not isinstance(value, dict):
        return f"expected an object with `messages`, found {type(value).__name__}"
    detail = error.errors()[0]
    field = ".".join(str(part) for part in detail["loc"])
    given = "" if isinstance(detail["input"], dict) else f" (given: {detail['input']!r:.60})"
    return f"{field}: {detail['msg'].removeprefix('Value error, ')}{given}"
