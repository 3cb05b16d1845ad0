"""The journal of a job at an API: results go in by custom id, and come out in input order."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any, Self

from oumi.batch.api.adopted import read_rows
from oumi.batch.api.custom_ids import read_id
from oumi.batch.api.job import ApiJob
from oumi.batch.api.providers.base import BatchResult
from oumi.core.types.completion import Failure
from oumi.errors import InputError, OumiError, StorageError
from oumi.runner.request import NO_KEY
from oumi.runner.storage.journal import Journal
from oumi.structured.finish import require_valid


class ResultJournal:
    """What is known of each row of a job, and what became of it.

    In memory a row takes 9 bytes besides what the journal takes.
    """

    def __init__(self, job: ApiJob):
        """Open the journal, and read the whole input once."""
        self._state = job.state
        self._endpoint = job.endpoint
        self._folder = folder = job.folder
        self._keys = array("Q")
        self._answered = bytearray()
        self._adopted_rows = read_rows(folder) if folder.spec.adopted_id is not None else {}
        self._journal = Journal(folder.output.journal_path)
        try:
            self._claim_rows()
        except BaseException:
            self._journal.close()  # and with it its lock
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    @property
    def answered(self) -> int:
        """How many rows have an answer."""
        return sum(self._answered)

    def record(self, result: BatchResult) -> bool:
        """Record a result, and return whether it is an answer.

        A row that has an answer keeps it. An answer that breaks the contract is recorded, since it
        was paid for, and counts as a failure.
        """
        row, key = self._locate(result.custom_id)
        if self._answered[row]:
            return True
        failure = result.failure
        if result.body is not None:
            failure = self._record_body(row, key, result.body)
        if failure is not None:
            self._journal.record_failure(row, key, failure, attempt=self._state.attempt)
        return failure is None

    def sync(self) -> None:
        """Bring all of it to the disk."""
        self._journal.sync()

    def read(self, row: int) -> Mapping[str, Any]:
        """The row's `completion`, or its `failure` in this attempt."""
        record = self._journal.read(row)
        if self._answered[row] or record.get("attempt") == self._state.attempt:
            return record
        return {"failure": self._state.why_unanswered(row).to_dict()}

    def _record_body(self, row: int, key: str, body: bytes) -> Failure | None:
        """Record the completion in a reply; why it is no answer, if it is none."""
        try:
            completion = self._endpoint.decode(body)
            self._journal.record(row, key, completion)
            require_valid(self._endpoint.contract, completion)
        except StorageError:
            raise
        except OumiError as error:
            return Failure.from_error(error)
        self._answered[row] = True
        return None

    def _claim_rows(self) -> None:
        """Give each row of the input what the journal has recorded of it."""
        keys = self._folder.spec.keys
        for row in self._folder.source.rows():
            key = keys.key(row.conversation) if row.conversation else NO_KEY
            self._keys.append(int(key[:16], 16))
            is_answered = row.conversation is not None and self._journal.claim_valid(
                row.index, key, self._endpoint.contract
            )
            self._answered.append(is_answered)
            if not is_answered:
                self._journal.claim_failure(row.index)

    def _locate(self, custom_id: str) -> tuple[int, str]:
        """The row of a result, and its key. Raises InputError for a result of another job."""
        row = self._adopted_rows.get(custom_id)
        if row is not None:
            return row, f"{self._keys[row]:016x}".ljust(32, "0")
        own = read_id(custom_id)
        if own is None or own[0] >= len(self._keys) or self._keys[own[0]] != int(own[1][:16], 16):
            raise InputError(f"{self._folder.id}: a result for {custom_id!r}, which it did not ask")
        return own
