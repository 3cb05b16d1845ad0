"""The rows of a run, and those of a result in memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from oumi.core.types.failure import Failure
from oumi.core.types.result import InferenceResult
from oumi.report.row import ReportRow
from oumi.runner.storage.run_summary import RunSummary


class RunRows(ABC):
    """The rows of one run in input order, the same ones in every pass."""

    name: str
    """What the page calls the run."""
    summary: RunSummary | None = None

    @abstractmethod
    def __iter__(self) -> Iterator[ReportRow]:
        """All rows. Raises InputError for a file that cannot be read."""

    @abstractmethod
    def __len__(self) -> int:
        """How many there are; the first call may go through the file."""


class ResultRows(RunRows):
    """A result that is in memory."""

    def __init__(self, result: InferenceResult, name: str = "result"):
        self.name = name
        self._result = result

    def __len__(self) -> int:
        return len(self._result.rows) + len(self._result.failures)

    def __iter__(self) -> Iterator[ReportRow]:
        failures = iter(self._result.failures.items())
        pending = next(failures, None)
        for row, conversation in zip(self._result.rows, self._result.conversations, strict=True):
            while pending is not None and pending[0] < row:
                yield _failed(*pending)
                pending = next(failures, None)
            yield ReportRow(int(row), conversation.to_dict())
        while pending is not None:
            yield _failed(*pending)
            pending = next(failures, None)


def _failed(row: int, failure: Failure) -> ReportRow:
    return ReportRow(int(row), {}, failure.to_dict())
