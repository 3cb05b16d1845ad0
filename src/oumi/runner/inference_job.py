"""A job whose rows are answered: what `infer` does."""

from __future__ import annotations

import asyncio
from pathlib import Path

from oumi.core.configs.run_choices import BadRows
from oumi.core.types.estimate import RunEstimate
from oumi.core.types.result import InferenceResult
from oumi.data.check import check_rows
from oumi.data.conversation_like import Conversations
from oumi.data.source import Source
from oumi.data.tables.parser import Parser
from oumi.errors import ConfigError, InputError, OumiError, StorageError
from oumi.runner.destination import Destination, FileDestination, MemoryDestination
from oumi.runner.events import Listener
from oumi.runner.job import Job
from oumi.runner.limits.budget import check_no_budget, most_rows
from oumi.runner.refusals import Refusals
from oumi.runner.row_queue import RowQueue
from oumi.runner.run import Run
from oumi.runner.sample_check import check_samples
from oumi.runner.session import Session
from oumi.runner.storage.row_store import RowStore


class InferenceJob(Job[InferenceResult]):
    """One call of `infer`, under the settings of the session."""

    def __init__(
        self,
        session: Session,
        conversations: Conversations | None = None,
        listener: Listener | None = None,
        parser: Parser | None = None,
    ):
        super().__init__(session, conversations, listener)
        check_samples(session, self.source)
        if session.batch_phase is not None:
            check_no_budget(session.config)
        self._parser = parser

    async def estimate(self, pilot: int = 0) -> RunEstimate:
        """What the rows that have no answer yet will take, once `pilot` rows are asked, whose
        answers are recorded. Without a pilot nothing is sent or written.
        """
        from oumi.runner.estimate import estimate_run, pilot_rows

        if pilot and not self._is_kept:
            raise ConfigError("a pilot needs an output_path, beside which its answers are kept")
        bad_rows_fail = self._config.bad_rows == BadRows.FAIL
        total = await asyncio.to_thread(check_rows, self.source, bad_rows_fail=bad_rows_fail)
        if pilot:
            self._only = pilot_rows(min(total, most_rows(self._config) or total), pilot)
            await self.run()
        return await estimate_run(self._session, self.source, total)

    async def run_partial(self) -> InferenceResult:
        """The same, but what the answers of a backend end is a result as well: the rows that were
        not asked have failed because of it. Raises what is wrong with the input or the disk.
        """
        try:
            return await self.run()
        except (InputError, StorageError):
            raise
        except OumiError as error:
            if not isinstance(error.result, InferenceResult):
                raise
            return error.result

    def _destination(self, source: Source, path: Path | None) -> Destination[InferenceResult]:
        if path is None:
            return MemoryDestination(self._session, source)
        return FileDestination(self._session, source, path, self._parser)

    def _new_run(self, store: RowStore, queue: RowQueue, refusals: Refusals) -> Run:
        return Run(self._session, store, queue, self._notify, refusals, self._budget)

    def _no_result(self) -> InferenceResult:
        return InferenceResult()
