"""The answers of a run as columns in memory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure
from oumi.core.types.result import InferenceResult
from oumi.data.source import Source
from oumi.data.tables.input_columns import input_columns
from oumi.data.tables.parser import Parser
from oumi.data.tables.sample_lists import in_lists, list_types
from oumi.data.tables.value_types import check_values
from oumi.runner.session import Session
from oumi.runner.storage.output import paid_failure
from oumi.runner.table_form import table_form

if TYPE_CHECKING:
    import pyarrow as pa


class AnswerTable:
    """The columns that a run adds to its input, in the order of its rows."""

    def __init__(
        self, session: Session, source: Source, parser: Parser | None, result: InferenceResult
    ):
        self._source = source
        self._parser = parser
        self._form = form = table_form(session, source, parser=parser)
        self._columns = form.columns(())
        outcomes = self._parsed(result)  # so that the parser's columns are known
        self._columns = form.columns(input_columns(source))
        values = (self._values_of(at, *outcome) for at, outcome in enumerate(outcomes))
        self._values = in_lists(values, form.num_samples) if form.has_lists else list(values)

    @property
    def rows_of_row(self) -> int:
        """How many rows a row of the input has here."""
        return self._form.rows_of_row

    def rows(self) -> list[dict[str, Any]]:
        """The rows of the input, each with the values beside it."""
        step = self._form.num_samples // self.rows_of_row  # over those that stand in one list
        records = islice(self._source.records(), 0, None, step)
        pairs = zip(records, self._values, strict=True)
        return [{**record.columns, **values} for record, values in pairs]

    @property
    def whole(self) -> pa.Table:
        """The input, where it is a table of Arrow."""
        return self._source.table

    def table(self) -> pa.Table:
        """The columns alone, with their types. Raises MissingDependencyError."""
        from oumi.data.tables.arrow_types import make_table

        types = self._columns.types
        return make_table(self._values, list_types(types) if self._form.has_lists else types)

    def _parsed(
        self, result: InferenceResult
    ) -> list[tuple[dict[str, Any] | Failure, Mapping[str, Any]]]:
        """What became of each row: the record of its answer with the parser's columns, or why it
        has none.
        """
        done = dict(zip(result.rows, map(_record_of, result.conversations), strict=True))
        found: list[tuple[dict[str, Any] | Failure, Mapping[str, Any]]] = []
        for index, row in enumerate(self._source.records()):
            outcome = done.get(index) or result.failures[index]
            parsed: Mapping[str, Any] = {}
            if self._parser is not None and isinstance(outcome, dict):
                try:
                    answer = self._columns.answer(outcome)
                    parsed = self._parser.columns(index, row.columns, answer)
                except ValueError as error:
                    outcome = paid_failure(error, outcome)
            found.append((outcome, parsed))
        return found

    def _values_of(
        self, number: int, outcome: dict[str, Any] | Failure, parsed: Mapping[str, Any]
    ) -> dict[str, Any]:
        sample = self._form.sample_of(number)
        if isinstance(outcome, Failure):
            return self._columns.of_failure(outcome.to_dict(), sample)
        try:
            values = self._columns.of_answer(outcome, parsed, sample)
            check_values(values, self._columns.types)
            return values
        except ValueError as error:
            return self._columns.of_failure(paid_failure(error, outcome).to_dict(), sample)


def _record_of(conversation: Conversation) -> dict[str, Any]:
    """The record of its last message, the answer, as far as columns need it."""
    metadata = conversation.metadata
    return {
        "message": conversation.messages[-1].to_dict(),
        "finish_reason": metadata["finish_reason"],
        "usage": metadata["usage"],
        "from_cache": metadata.get("from_cache", False),
    }
