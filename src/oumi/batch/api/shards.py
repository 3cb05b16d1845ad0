"""The requests of a job as files of lines, each as large as the provider takes at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO, Self

import orjson

from oumi.backends.remote.provider import BatchLimits
from oumi.backends.remote.session import RemoteSession
from oumi.batch.api.adopted import read_bodies
from oumi.batch.api.custom_ids import make_id, read_id
from oumi.batch.api.providers import BatchApi
from oumi.batch.api.state import Shard, State, part_path
from oumi.batch.job_folder import JobFolder
from oumi.core.types.result import Failure, is_fatal
from oumi.data.source import Row
from oumi.errors import RequestError
from oumi.runner.request import NO_KEY, Request
from oumi.runner.storage.journal import Journal


def prepare(folder: JobFolder, state: State, session: RemoteSession, api: BatchApi) -> None:
    """Begin an attempt: write the requests of all rows without an answer, and note the parts.

    A row that cannot be sent fails alone. Where all rows are answered, nothing changes.
    """
    attempt = state.attempt + 1
    answered = unsent = 0
    with (
        Journal(folder.output.journal_path) as journal,
        _Splitter(folder.path, folder.id, _limits(session), attempt) as splitter,
    ):
        keys = folder.intent.keys
        for row, encode in _rows(folder, session):
            key = keys.key(row.conversation) if row.conversation else NO_KEY
            if row.conversation is not None and journal.claim_valid(
                row.index, key, session.contract
            ):
                answered += 1
                continue
            try:
                body = encode()
                splitter.add(row.index, api.line(make_id(row.index, key), session.path, body))
            except RequestError as error:
                if is_fatal(error):
                    raise
                failure = Failure.from_error(error)
                journal.append_failure(row.index, key, failure, attempt=attempt)
                unsent += 1
    if splitter.parts or unsent:
        state.attempt, state.answered, state.unsent = attempt, answered, unsent
        state.parts += splitter.parts
        state.cancelled, state.refused_s = False, None


def halve(folder: JobFolder, part: Shard) -> list[Shard]:
    """Two parts in place of one for which there is never room, with files of their own."""
    halves = [_half(part, number) for number in range(2)]
    halves[0].ids, halves[0].told, halves[0].refused = part.ids, part.told, True  # still found
    with part_path(folder, part).open("rb") as file:
        for half in halves:
            _copy_lines(file, folder, half)
    return halves


def _half(part: Shard, number: int) -> Shard:
    first = part.requests // 2
    requests = first if number == 0 else part.requests - first
    tag = f"{part.tag}{'ab'[number]}"
    return Shard(tag, part.first, part.last, requests, part.attempt)


def _copy_lines(file: BinaryIO, folder: JobFolder, part: Shard) -> None:
    """Take the part's lines over, and note its rows."""
    with part_path(folder, part).open("wb") as copy:
        for number in range(part.requests):
            line = file.readline()
            copy.write(line)
            row, _ = read_id(orjson.loads(line)["custom_id"]) or (part.first, "")
            part.first, part.last = (row if number == 0 else part.first), row


def _rows(folder: JobFolder, session: RemoteSession) -> Iterator[tuple[Row, Callable[[], bytes]]]:
    """Each row with what gives the body of its request."""
    if folder.intent.foreign_id is not None:
        for row, body in zip(folder.source.rows(), read_bodies(folder), strict=True):
            yield row, partial(bytes, body)
    else:
        for row in folder.source.rows():
            yield row, partial(_encode, row, session)


def _encode(row: Row, session: RemoteSession) -> bytes:
    if row.conversation is None:
        raise row.error or RequestError("a row without a conversation")
    return session.encode(Request(row.conversation, session.config))


def _limits(session: RemoteSession) -> BatchLimits:
    return session.provider.batch or BatchLimits()


class _Splitter:
    """Writes lines to one file after the other."""

    def __init__(self, path: Path, job: str, offer: BatchLimits, attempt: int):
        self.parts: list[Shard] = []
        self._path = path
        self._job = job
        self._offer = offer
        self._attempt = attempt
        self._file: BinaryIO | None = None
        self._bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, row: int, line: bytes) -> None:
        """Write a row's request. Raises RequestError for one that no file may hold."""
        if len(line) > self._offer.max_bytes:
            limit = self._offer.max_bytes
            raise RequestError(f"a request of {len(line):,} bytes; a batch holds {limit:,}")
        if self._file is None or self._is_full(len(line)):
            self._begin(row)
        assert self._file is not None  # noqa: S101  for the type checker
        self._file.write(line)
        self._bytes += len(line)
        self.parts[-1].last = row
        self.parts[-1].requests += 1

    def _is_full(self, size: int) -> bool:
        too_many = self.parts[-1].requests >= self._offer.max_requests
        return too_many or self._bytes + size > self._offer.max_bytes

    def _begin(self, row: int) -> None:
        if self._file is not None:
            self._file.close()
        tag = f"{self._job}-{self._attempt}-{len(self.parts) + 1}-{secrets.token_hex(4)}"
        self.parts.append(Shard(tag, row, row, 0, self._attempt))
        self._file = (self._path / f"{tag}.jsonl").open("wb")
        self._bytes = 0
