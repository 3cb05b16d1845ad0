"""The answers of a run without an output file."""

from __future__ import annotations

from oumi.core.types.completion import Completion
from oumi.core.types.result import Failure, InferenceResult
from oumi.data.source import Source
from oumi.structured.contract import Contract
from oumi.structured.finish import require_valid


class MemoryStore:
    """Answers and failures by row."""

    def __init__(self) -> None:
        self._completions: dict[int, Completion] = {}
        self._failures: dict[int, Failure] = {}

    def holds(self, row: int) -> bool:
        """Whether the row is recorded."""
        return row in self._completions or row in self._failures

    def earlier_answer(self, row: int) -> Completion | None:
        """Nothing: there is no run before this one."""
        return None

    def append(self, row: int, key: str, completion: Completion, *, latency_s: float) -> None:
        """Keep an answer."""
        self._completions[row] = completion

    def append_failure(self, row: int, key: str, failure: Failure, *, latency_s: float) -> None:
        """Keep the reason why there is none."""
        self._completions.pop(row, None)
        self._failures[row] = failure

    def sync(self) -> None:
        """Nothing to do: there is no disk."""

    def result(self, source: Source, contract: Contract | None) -> InferenceResult:
        """The answers, joined to the conversations of the input."""
        rows = sorted(self._completions)
        conversations = [
            require_valid(contract, self._completions[row.index]).join(row.conversation)
            for row in source.rows()
            if row.conversation is not None and row.index in self._completions
        ]
        return InferenceResult(conversations, rows, dict(sorted(self._failures.items())))
