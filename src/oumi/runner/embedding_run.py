"""A run whose rows are embedded: many of them by each request."""

from __future__ import annotations

from oumi.data.source import Row
from oumi.runner.embedding_task import EmbeddingTask
from oumi.runner.run import Run


class EmbeddingRun(Run):
    """Takes rows from the queue as `Run` does, as many at once as a request is good for."""

    def _task(self, row: Row) -> EmbeddingTask:
        return EmbeddingTask(self._session, row, self._further, self._store, self._context)

    async def _further(self) -> list[Row]:
        """The rows after one that was taken, up to a whole request."""
        rows: list[Row] = []
        while len(rows) + 1 < self._session.texts_per_request:
            row = await self._queue.next()
            if row is None or not self._allows(row):
                break
            rows.append(row)
        return rows
