"""A job whose rows are embedded: what `embed` does."""

from __future__ import annotations

from pathlib import Path

from oumi.core.types.embedding_result import EmbeddingResult
from oumi.data.source import Source
from oumi.runner.destination import Destination
from oumi.runner.embedding_destination import FileEmbeddings, MemoryEmbeddings
from oumi.runner.embedding_run import EmbeddingRun
from oumi.runner.job import Job
from oumi.runner.refusals import Refusals
from oumi.runner.row_queue import RowQueue
from oumi.runner.storage.row_store import RowStore


class EmbeddingJob(Job[EmbeddingResult]):
    """One call of `embed`, under the settings of the session."""

    def _destination(self, source: Source, path: Path | None) -> Destination[EmbeddingResult]:
        if path is None:
            return MemoryEmbeddings(self._session, source)
        return FileEmbeddings(self._session, source, path)

    def _new_run(self, store: RowStore, queue: RowQueue, refusals: Refusals) -> EmbeddingRun:
        return EmbeddingRun(self._session, store, queue, self._notify, refusals, self._budget)

    def _no_result(self) -> EmbeddingResult:
        return EmbeddingResult()
