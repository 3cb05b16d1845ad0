"""Where vectors end up: in memory, or in a file of the input's columns and them."""

from __future__ import annotations

from pathlib import Path

from oumi.core.types.completion import Usage
from oumi.core.types.embedding import Embedding, Vector
from oumi.core.types.embedding_result import EmbeddingResult
from oumi.core.types.failure import Failure
from oumi.data.source import Source
from oumi.data.tables.embedding_columns import EmbeddingForm
from oumi.errors import OumiError
from oumi.runner.records import FileRecords, MemoryRecords
from oumi.runner.session import Session
from oumi.runner.stats import RunStats
from oumi.runner.storage.journal_reader import recorded_usage
from oumi.runner.storage.lazy import LazyFailures
from oumi.runner.storage.run_summary import RunSummary
from oumi.runner.storage.snapshot import SnapshotFailures
from oumi.runner.storage.vectors import SnapshotVectors


class MemoryEmbeddings(MemoryRecords):
    """For a job without an output file."""

    def finish(self, stats: RunStats) -> EmbeddingResult:
        """The vectors of all rows that have one."""
        return self._result(None)

    def result_until(self, error: OumiError) -> EmbeddingResult:
        """The same; the other rows have failed."""
        return self._result(Failure.not_asked(error))

    def _result(self, missing: Failure | None) -> EmbeddingResult:
        vectors: dict[int, Vector] = {}
        failures: dict[int, Failure] = {}
        usage = Usage()
        for row in self._source.rows():
            outcome = self._store.outcome(row.index) or missing
            if isinstance(outcome, Embedding):
                vectors[row.index] = outcome.vector
                usage += outcome.usage
            elif isinstance(outcome, Failure):
                failures[row.index] = outcome
        model = self._session.config.model.model_name
        return EmbeddingResult(model, list(vectors.values()), list(vectors), failures, usage)


class FileEmbeddings(FileRecords):
    """A table with a journal beside it.

    Raises ConfigError and OutputExistsError where its files would take the place of others, and
    ConfigError for an ending of no format.
    """

    def __init__(self, session: Session, source: Source, path: Path):
        form = EmbeddingForm(EmbeddingForm.suffix_of(path))
        form.check(source)
        super().__init__(session, source, path, form)

    def finished_result(self) -> EmbeddingResult | None:
        """What the output holds of a finished run whose journal was removed. Where that is there,
        the rows are looked up in it.
        """
        if not self._may_be_finished() or (missing := self._missing_answers("vectors")) is None:
            return None
        rows = range(len(missing))
        return EmbeddingResult(self._model, missing, rows, usage=self._usage)

    def finish(self, stats: RunStats) -> EmbeddingResult:
        """Write the output and its neighbours; one that holds all of it stays as it is."""
        if not self._is_finished():
            self._write(stats)
        failures = LazyFailures(self._output.failures_path)
        recorded = self._snapshot(Failure("StorageError", "not in the table"), failures)
        vectors = SnapshotVectors(recorded)
        if self._source.in_memory:
            return EmbeddingResult(
                self._model, list(vectors), recorded.answered, dict(failures), self._usage
            )
        return EmbeddingResult(self._model, vectors, recorded.answered, failures, self._usage)

    def result_until(self, error: OumiError) -> EmbeddingResult:
        """What the journal holds of each row, read from it as it is looked at."""
        self._claim_rest()
        recorded = self._snapshot(Failure.not_asked(error))
        vectors, failures = SnapshotVectors(recorded), SnapshotFailures(recorded)
        usage = recorded_usage(self._journal.path)
        return EmbeddingResult(self._model, vectors, recorded.answered, failures, usage)

    @property
    def _model(self) -> str:
        return self._session.config.model.model_name

    @property
    def _usage(self) -> Usage:
        """Tokens of the whole run."""
        summary = RunSummary.read(self._output.run_path)
        return Usage() if summary is None else summary.usage
