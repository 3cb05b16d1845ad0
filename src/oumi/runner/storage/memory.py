"""Answers in memory: those of a run without an output file, and rows joined to theirs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source
from oumi.errors import OumiError
from oumi.runner.storage.row_store import AnswerTimes, ContractAt, RowTimes
from oumi.structured.contract import type_of_answers
from oumi.structured.finish import require_valid

if TYPE_CHECKING:
    from oumi.core.types.answer import Answer


class MemoryStore:
    """Answers and failures by row."""

    def __init__(self) -> None:
        self._answers: dict[int, Answer] = {}
        self._failures: dict[int, Failure] = {}

    def holds(self, row: int) -> bool:
        """Whether the row is recorded."""
        return row in self._answers or row in self._failures

    def earlier_answer(self, row: int) -> Completion | None:
        """Nothing: there is no run before this one."""
        return None

    def append(self, row: int, key: str, answer: Answer, **times: Unpack[AnswerTimes]) -> None:
        """Keep an answer."""
        self._answers[row] = answer

    def note_valid(self, row: int) -> None:
        """Answers in memory are judged as they are joined to their conversations."""

    def append_failure(
        self, row: int, key: str, failure: Failure, **times: Unpack[RowTimes]
    ) -> None:
        """Keep the reason why there is none."""
        self._answers.pop(row, None)
        self._failures[row] = failure

    def read(self, row: int) -> Mapping[str, Any]:
        """The row's answer or its `failure`, as a journal would record it."""
        if (answer := self._answers.get(row)) is not None:
            return {answer.record_name: answer.to_dict()}
        failure = self._failures.get(row)
        return {} if failure is None else {"failure": failure.to_dict()}

    def sync(self) -> None:
        """Nothing to do: there is no disk."""

    def result(
        self, source: Source, contract_at: ContractAt, missing: Failure | None = None
    ) -> InferenceResult:
        """The answers, joined to the conversations of the input. `missing` is why there is
        nothing of the other rows.
        """
        return join_rows(source, self.outcome, contract_at, missing)

    def outcome(self, row: int) -> Answer | Failure | None:
        """What became of a row; None where nothing is recorded."""
        return self._answers.get(row) or self._failures.get(row)


def join_rows(
    source: Source,
    outcome_of: Callable[[int], Answer | Failure | None],
    contract_at: ContractAt,
    missing: Failure | None = None,
) -> InferenceResult:
    """The conversations of a source with their answers, and the failures of the other rows.

    `outcome_of` gives what became of a row by its number; None for one that was not asked, which
    is left out, or has failed because of `missing`. `contract_at` gives what its answer has to
    look like.
    """
    rows: list[int] = []
    conversations: list[Conversation] = []
    failures: dict[int, Failure] = {}
    for row in source.rows():
        outcome = outcome_of(row.index) or missing
        if isinstance(outcome, Completion) and row.conversation is not None:
            try:
                contract = contract_at(row.index)
                answered = require_valid(contract, outcome).join(row.conversation)
                conversations.append(answered.with_answer_type(type_of_answers(contract)))
                rows.append(row.index)
            except OumiError as error:
                failures[row.index] = Failure.from_error(error)
        elif isinstance(outcome, Failure):
            failures[row.index] = outcome
    return InferenceResult(conversations, rows, failures, source.num_samples)
