"""The journal of a job at an API: results go in by custom id, and come out in input order."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

from oumi.batch.api.adopted import read_rows
from oumi.batch.api.custom_ids import read_id
from oumi.batch.api.job import ApiJob
from oumi.batch.api.providers.base import BatchResult
from oumi.core.types.answer import Answer
from oumi.core.types.completion import Completion
from oumi.core.types.failure import Failure
from oumi.data.source import Row
from oumi.errors import StorageError
from oumi.runner.row_task import RowTask
from oumi.runner.storage.journal import Journal


class ResultJournal:
    """What is known of each row of a job, and what became of it.

    In memory a row takes 9 bytes besides what the journal takes.
    """

    def __init__(self, job: ApiJob):
        """Open the journal, and read the whole input once."""
        self._job = job
        self._state = job.state
        self._source = job.folder.source
        folder = job.folder
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

    def record(self, result: BatchResult) -> int | None:
        """Record a result, and return its row; None for a result that is of no row of the job.

        A row that has an answer keeps it. An answer that breaks the contract is recorded, since it
        was paid for, and counts as a failure.
        """
        found = self._locate(result.custom_id)
        if found is None:
            return None
        row, key = found
        if self._answered[row]:
            return row
        if result.body is not None:
            self._answered[row] = self._record_body(row, key, result.body)
        elif result.failure is not None:
            self.append_failure(row, key, result.failure)
        return row

    def append(self, row: int, key: str, answer: Answer, **times: float) -> None:
        """Record an answer. How long a batch took says nothing of a row, and is not recorded."""
        self._journal.append(row, key, answer)

    def note_valid(self, row: int) -> None:
        """What leaves here is judged where it is taken."""

    def append_failure(self, row: int, key: str, failure: Failure, **times: float) -> None:
        """Record the reason why the row has no answer in this attempt."""
        self._journal.append_failure(row, key, failure, attempt=self._state.attempt)

    def holds(self, row: int) -> bool:
        """Whether the row has an answer."""
        return bool(self._answered[row])

    def earlier_answer(self, row: int) -> Completion | None:
        """Nothing: a batch does not go on from an answer that is not valid."""
        return None

    def sync(self) -> None:
        """Bring all of it to the disk."""
        self._journal.sync()

    def read(self, row: int) -> Mapping[str, Any]:
        """The row's `completion`, or its `failure` in this attempt."""
        record = self._journal.read(row)
        if self._answered[row] or record.get("attempt") == self._state.attempt:
            return record
        return {"failure": self._state.why_unanswered(row).to_dict()}

    def _record_body(self, row: int, key: str, body: bytes) -> bool:
        """Record the completion in the body of a reply, and whether it is a valid answer.

        Whatever is wrong with it, only this row fails, and what was paid for is kept.
        """
        asked = Row(row, None, generation=self._source.generation_of(row))
        session = self._job.row_session(asked)
        task = RowTask(session, asked, self, key=key)
        try:
            task.accept(session.decode(body))
        except StorageError:
            raise
        except Exception as error:
            failure = Failure.from_error(error)
            if failure.reply is None:
                failure = replace(failure, reply=body.decode(errors="replace"))
            self.append_failure(row, key, failure)
            return False
        return True

    def _claim_rows(self) -> None:
        """Give each row of the input what the journal has recorded of it."""
        for row in self._source.rows():
            key = self._job.row_key(row)
            self._keys.append(int(key[:16], 16))
            is_answered = row.conversation is not None and self._journal.claim_valid(
                row.index, key, self._job.contract_of(row)
            )
            self._answered.append(is_answered)
            if not is_answered:
                self._journal.claim_failure(row.index)

    def _locate(self, custom_id: str) -> tuple[int, str] | None:
        """The row of a result, and its key; None for a result of another job."""
        row = self._adopted_rows.get(custom_id)
        if row is not None:
            return row, f"{self._keys[row]:016x}".ljust(32, "0")
        own = read_id(custom_id)
        if own is None or own[0] >= len(self._keys) or self._keys[own[0]] != int(own[1][:16], 16):
            return None
        return own
