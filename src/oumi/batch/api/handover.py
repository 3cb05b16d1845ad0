"""What a run and the batch job that answers its rows hand to each other."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from oumi.batch.api.job import ApiJob
from oumi.batch.api.result_journal import ResultJournal
from oumi.core.types.completion import Completion
from oumi.core.types.failure import Failure
from oumi.data.source import Row, Source
from oumi.errors import InputError, RequestError
from oumi.runner.events import Listener, RowDone, RowFailed
from oumi.runner.request import NO_KEY
from oumi.runner.row_context import RowContext
from oumi.runner.row_task import RowTask
from oumi.runner.session import Session
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.row_store import RowStore
from oumi.runner.storage.snapshot import outcome_in

if TYPE_CHECKING:
    from oumi.runner.cache.answers import AnswerCache


def has_open_rows(source: Source, store: RowStore) -> bool:
    """Whether any row of a run has no record."""
    return any(not store.holds(row.index) for row in source.rows())


def give_answers(job: ApiJob, source: Source, store: RowStore) -> None:
    """Record in a new job what the run has answers to, so that it does not ask for them."""
    with Journal(job.folder.output.journal_path) as journal:
        for row in source.rows():
            if row.conversation is None or not store.holds(row.index):
                continue
            outcome = outcome_in(store, row.index)
            if isinstance(outcome, Completion):
                journal.append(row.index, job.row_key(row), outcome)


class Handover:
    """Takes the answers of a job into the store of a run, as its own."""

    def __init__(
        self,
        session: Session,
        store: RowStore,
        notify: Listener,
        price_share: float,
        cache: AnswerCache | None = None,
    ):
        self._session = session
        self._store = store
        self._notify = notify
        self._price_share = price_share
        self._cache = cache

    def take_cached(self, source: Source) -> None:
        """Record the answers that the cache has of rows that have none."""
        if self._cache is None:
            return
        context = RowContext(cache=self._cache)
        for row in source.rows():
            if self._store.holds(row.index):
                continue
            task = RowTask(self._session, row, self._store, context)
            with contextlib.suppress(RequestError, InputError, ValueError):  # said when it is asked
                if (done := task.take_cached()) is not None:
                    self._notify(done)

    def take(self, source: Source, journal: ResultJournal, *, failures: bool) -> None:
        """Record all answers that the run lacks; with `failures` also why rows have none."""
        for row in source.rows():
            if self._store.holds(row.index):
                continue
            if journal.holds(row.index):
                self._take_answer(row, Completion.from_dict(journal.read(row.index)["completion"]))
            elif failures:
                self._take_failure(row, Failure.from_dict(journal.read(row.index)["failure"]))

    def _take_answer(self, row: Row, completion: Completion) -> None:
        session = self._session.for_row(row)
        key = session.keys.row_key(row)
        paid = completion._replace(price_share=self._price_share)
        answer = RowTask(session, row, self._store, key=key).accept(paid)
        if self._cache is not None:
            self._cache.put(key, row.repeat, paid)
        self._notify(RowDone(row.index, answer, None))

    def _take_failure(self, row: Row, failure: Failure) -> None:
        try:
            key = self._session.for_row(row).keys.row_key(row)
        except RequestError:  # settings of the row that are not taken, which is what failed
            key = NO_KEY
        self._store.append_failure(row.index, key, failure, latency_s=0.0, waited_s=0.0)
        self._notify(RowFailed(row.index, failure, None, usage=failure.usage))
