"""The requests of a job as files of lines, one a shard, each as large as the provider takes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, Self

import orjson

from oumi.backends.provider import BatchLimits
from oumi.batch.api.adopted import read_bodies
from oumi.batch.api.custom_ids import make_id, read_id
from oumi.batch.api.job import ApiJob
from oumi.batch.api.prompts import check_is_chat
from oumi.batch.api.shard import Shard
from oumi.batch.job_folder import JobFolder
from oumi.core.configs import GenerationParams
from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure
from oumi.core.types.result import is_fatal
from oumi.data.source import Row
from oumi.errors import RequestError, StorageError, UnavailableError, UnsupportedError
from oumi.runner import loop
from oumi.runner.prefill import check_last_message, prefill_of
from oumi.runner.request import Request
from oumi.runner.storage.atomic import storage_errors
from oumi.runner.storage.journal import Journal

_NOT_WRITTEN = "requests cannot be written, and nothing of them was submitted"


def prepare(job: ApiJob) -> None:
    """Begin an attempt: write the requests of all rows without an answer, and add their shards.

    A row that cannot be sent fails alone. Where all rows are answered, nothing changes. Raises
    StorageError, and UnavailableError for a file system that hangs.
    """
    folder, session, attempt = job.folder, job.session, job.state.attempt + 1
    limits = session.provider.batch or BatchLimits()
    answered = unsent = 0
    with (
        storage_errors(folder.path, _NOT_WRITTEN),
        Journal(folder.output.journal_path) as journal,
        _ShardWriter(folder, limits, attempt) as writer,
    ):
        for row, encode in _rows(job):
            key = job.row_key(row)
            if row.conversation is not None and journal.claim_valid(
                row.index, key, job.contract_of(row)
            ):
                answered += 1
                continue
            try:
                line = job.api.line(make_id(row.index, key), session.path, encode())
                writer.add(row.index, line)
            except Exception as error:  # of the row, unless it is of the disk
                is_of_disk = isinstance(error, OSError | StorageError | UnavailableError)
                if is_fatal(error) or is_of_disk:
                    raise
                failure = Failure.from_error(error)
                journal.append_failure(row.index, key, failure, attempt=attempt)
                unsent += 1
    if writer.shards or unsent:
        job.state.begin_attempt(writer.shards, answered=answered, unsent=unsent)


def split(job: ApiJob, shard: Shard) -> tuple[Shard, Shard]:
    """Two shards in place of one that is too large, with files of their own."""
    halves = shard.halve()
    path = job.requests_path(shard)
    with storage_errors(path, _NOT_WRITTEN), path.open("rb") as file:
        for half in halves:
            _copy_lines(file, job, half)
    return halves


def _copy_lines(file: BinaryIO, job: ApiJob, shard: Shard) -> None:
    """Copy as many lines as the shard has requests, and set its rows by them."""
    with job.requests_path(shard).open("wb") as copy:
        for number in range(shard.requests):
            line = file.readline()
            copy.write(line)
            row, _ = read_id(orjson.loads(line)["custom_id"]) or (shard.first, "")
            shard.first, shard.last = (row if number == 0 else shard.first), row


def _rows(job: ApiJob) -> Iterator[tuple[Row, Callable[[], bytes]]]:
    """Each row with a function that returns the body of its request."""
    folder = job.folder
    if folder.spec.adopted_id is not None:
        for row, body in zip(folder.source.rows(), read_bodies(folder), strict=True):
            yield row, partial(bytes, body)
    else:
        for row in job.session.batch_rows(folder.source):
            yield row, partial(_encode, row, job)


def _encode(row: Row, job: ApiJob) -> bytes:
    if row.conversation is None:
        raise row.error or RequestError("a row without a conversation")
    session = job.row_session(row)
    _check_last_message(row.conversation, session.config.generation)
    config = session.config_of(row)
    request = Request(row.conversation, config, shared=row.shared)
    if session.media is not None and session.media.is_needed(request):
        request = loop.submit(session.media.load(request)).result()
    return session.encode(request)


def _check_last_message(conversation: Conversation, generation: GenerationParams) -> None:
    check_last_message(conversation, generation)
    check_is_chat(generation)
    if prefill_of(conversation, generation) is not None:
        raise UnsupportedError(
            "a batch of an API brings its answers without the messages that they would continue: "
            "ask this row by infer"
        )


class _ShardWriter:
    """Writes requests to one file after the other, and adds a shard for each file."""

    def __init__(self, folder: JobFolder, limits: BatchLimits, attempt: int):
        self.shards: list[Shard] = []
        self._folder = folder
        self._limits = limits
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
        limit = self._limits.max_bytes
        if len(line) > limit:
            raise RequestError(f"a request of {len(line):,} bytes; a batch holds {limit:,}")
        file = self._file
        if file is None or self._is_full(len(line)):
            file = self._begin_shard(row)
        file.write(line)
        self._bytes += len(line)
        self.shards[-1].last = row
        self.shards[-1].requests += 1

    def _is_full(self, size: int) -> bool:
        too_many = self.shards[-1].requests >= self._limits.max_requests
        return too_many or self._bytes + size > self._limits.max_bytes

    def _begin_shard(self, row: int) -> BinaryIO:
        if self._file is not None:
            self._file.close()
        # A job that is submitted anew after its folder was deleted has the same id. The random end
        # keeps the provider's batches of the deleted job from being taken for those of this one.
        number, suffix = len(self.shards) + 1, secrets.token_hex(4)
        tag = f"{self._folder.id}-{self._attempt}-{number}-{suffix}"
        self.shards.append(Shard(tag, row, row, 0, self._attempt))
        self._file = self._folder.requests_path(tag).open("wb")
        self._bytes = 0
        return self._file
