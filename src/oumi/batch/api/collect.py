"""Taking up the results of a job: into its journal by custom id, and out again in input order."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from oumi.backends.remote.session import RemoteSession
from oumi.batch.api.adopted import read_rows
from oumi.batch.api.custom_ids import read_id
from oumi.batch.api.providers import Outcome, OutputLagsError
from oumi.batch.api.state import Shard
from oumi.batch.api.submit import ApiJob
from oumi.core.logs import logger
from oumi.core.types.result import Failure
from oumi.data.source import Source
from oumi.errors import InputError, OumiError, StorageError
from oumi.runner.cost import Price
from oumi.runner.limits.retry import Retry, retrying
from oumi.runner.request import NO_KEY
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.output import Output
from oumi.structured.finish import require_valid


class ResultJournal:
    """The journal of a job with its rows: what is known of each, and what came of it.

    In memory a row takes 9 bytes besides what the journal takes.
    """

    def __init__(self, job: ApiJob):
        """Open the journal, and read the whole input once."""
        self._state = job.state
        self._session = job.session
        self._folder = folder = job.folder
        self._keys = array("Q")
        self._answered = bytearray()
        self._foreign = read_rows(folder) if folder.intent.foreign_id is not None else {}
        self._journal = Journal(folder.output.journal_path)
        try:
            self._claim()
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

    def enter(self, outcome: Outcome) -> bool:
        """Record what became of a request, and say whether it is an answer. One that is here
        already stays. An answer in another form than was asked for is recorded, and is a failure.
        """
        row, key = self._locate(outcome.custom_id)
        if self._answered[row]:
            return True
        failure = outcome.failure
        if outcome.body is not None:
            try:
                completion = self._session.decode(outcome.body)
                self._journal.append(row, key, completion)
                require_valid(self._session.contract, completion)
                self._answered[row] = True
            except StorageError:
                raise
            except OumiError as error:
                failure = Failure.from_error(error)
        if failure is not None:
            self._journal.append_failure(row, key, failure, attempt=self._state.attempt)
        return failure is None

    def sync(self) -> None:
        """Bring all of it to the disk."""
        self._journal.sync()

    def read(self, row: int) -> Mapping[str, Any]:
        """The row's `completion`, or its `failure` in the attempt at hand."""
        record = self._journal.read(row)
        if self._answered[row] or record.get("attempt") == self._state.attempt:
            return record
        return {"failure": self._state.why_unanswered(row).to_dict()}

    def _claim(self) -> None:
        """Give the rows what is recorded of them."""
        keys = self._folder.intent.keys
        for row in self._folder.source.rows():
            key = keys.key(row.conversation) if row.conversation else NO_KEY
            self._keys.append(int(key[:16], 16))
            is_answered = row.conversation is not None and self._journal.claim_valid(
                row.index, key, self._session.contract
            )
            self._answered.append(is_answered)
            if not is_answered:
                self._journal.claim_failure(row.index)

    def _locate(self, custom_id: str) -> tuple[int, str]:
        """The row that a result is of. Raises InputError for one of another job."""
        row = self._foreign.get(custom_id)
        if row is not None:
            return row, f"{self._keys[row]:016x}".ljust(32, "0")
        own = read_id(custom_id)
        if own is None or own[0] >= len(self._keys) or self._keys[own[0]] != int(own[1][:16], 16):
            raise InputError(f"{self._folder.id}: a result for {custom_id!r}, which it did not ask")
        return own


async def collect(job: ApiJob, book: ResultJournal) -> None:
    """Take up the results of all parts that have ended, once."""
    for part in job.state.parts:
        if part.is_due:
            part.collected = await _collect_part(job, book, part)
            await asyncio.to_thread(book.sync)
            await job.save()


async def _collect_part(job: ApiJob, book: ResultJournal, part: Shard) -> bool:
    """Whether all that the provider has of a part is here now."""
    api = job.api

    async def attempt() -> None:
        batch = await api.retrieve(part.ids[-1])
        part.take(batch)
        part.answers = part.failures = 0
        async for outcome in api.outcomes(batch):
            is_answer = book.enter(outcome)
            part.answers += is_answer
            part.failures += not is_answer

    def say(retry: Retry) -> None:
        logger.warning("%s: %s; asking again in %.1f s", part.ids[-1], retry.error, retry.wait_s)

    try:
        await retrying(attempt, job.session.retry_policy, say)
    except OutputLagsError as error:
        logger.warning("%s has ended, but %s. Ask again later", part.ids[-1], error)
        return False
    return True


def write(
    job: ApiJob, book: ResultJournal, source: Source, output: Output, *, overwrite: bool
) -> None:
    """Write all rows to the files of an output, in constant memory."""
    output.check_replaceable(book.answered, overwrite=overwrite)
    session = job.session
    output.write(source, book, job.folder.run_id, _price(session), {}, session.contract)


def output_of(job: ApiJob, path: str | None) -> Output:
    """Where results go: the path that the caller names, or the job's own folder."""
    return Output(Path(path)) if path else job.folder.output


def _price(session: RemoteSession) -> Price | None:
    """What tokens cost in a batch; None where they cost nothing."""
    limits, price = session.provider.batch, session.price
    return price.times(limits.price_share) if price and limits else None
