"""A job whose rows are embedded: what `embed` does."""

from __future__ import annotations

from pathlib import Path

from oumi.core.types.embedding_result import EmbeddingResult
from oumi.data.conversation_like import Conversations
from oumi.data.source import Source
from oumi.errors import ConfigError
from oumi.runner.destination import Destination
from oumi.runner.embedding_destination import FileEmbeddings, MemoryEmbeddings
from oumi.runner.embedding_run import EmbeddingRun
from oumi.runner.events import Listener
from oumi.runner.job import Job
from oumi.runner.refusals import Refusals
from oumi.runner.row_queue import RowQueue
from oumi.runner.session import Session
from oumi.runner.storage.row_store import RowStore

_OF_ANSWERS = ("part", "batch")


class EmbeddingJob(Job[EmbeddingResult]):
    """One call of `embed`, under the settings of the session."""

    def __init__(
        self,
        session: Session,
        conversations: Conversations | None = None,
        listener: Listener | None = None,
    ):
        """Raises ConfigError for a setting that is of answers alone."""
        for name in _OF_ANSWERS:
            if getattr(session.config, name):
                raise ConfigError(
                    f"{name}: embeddings are made by one run, row by row: leave it out"
                )
        super().__init__(session, conversations, listener)

    def _destination(self, source: Source, path: Path | None) -> Destination[EmbeddingResult]:
        if path is None:
            return MemoryEmbeddings(self._session, source)
        return FileEmbeddings(self._session, source, path)

    def _new_run(self, store: RowStore, queue: RowQueue, refusals: Refusals) -> EmbeddingRun:
        return EmbeddingRun(self._session, store, queue, self._notify, refusals, self._budget)

    def _no_result(self) -> EmbeddingResult:
        return EmbeddingResult()
