"""The columns that embeddings add to those of the input."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from oumi.core.types.embedding import Embedding
from oumi.data.tables.answer_columns import free_name
from oumi.data.tables.table_sink import TableForm
from oumi.data.tables.value_types import TEXT, VECTOR, ValueType


class EmbeddingColumns:
    """`embedding` and `error`, under other names where the input has these already.

    Tokens are no column: those of a text are its share of a request, so that a run that was
    interrupted may count them otherwise.
    """

    def __init__(self, taken: Collection[str]):
        self._vector, self._error = (free_name(name, taken) for name in ("embedding", "error"))
        self.types: dict[str, ValueType] = {self._vector: VECTOR, self._error: TEXT}
        """The columns in order, each with the type of its values."""

    def of_answer(
        self,
        answer: Mapping[str, Any],
        parsed: Mapping[str, Any] = MappingProxyType({}),
        sample: int | None = None,
    ) -> dict[str, Any]:
        """The values for an embedding, in the form of `Embedding.to_dict`."""
        return {self._vector: self.answer(answer), self._error: None}

    def of_failure(self, failure: Mapping[str, Any], sample: int | None = None) -> dict[str, Any]:
        """The values for a row that failed, in the form of `Failure.to_dict`."""
        return {self._vector: None, self._error: failure["error_message"]}

    def answer(self, answer: Mapping[str, Any]) -> list[float]:
        """The numbers of the vector."""
        return Embedding.from_dict(answer).vector.tolist()


@dataclass(frozen=True)
class EmbeddingForm(TableForm):
    """What a table of embeddings looks like."""

    @property
    def name(self) -> str:
        """What tells files of the same vectors apart."""
        return f"-embeddings{self.suffix}"

    def columns(self, inputs: Collection[str]) -> EmbeddingColumns:
        """The columns beside those of the input."""
        return EmbeddingColumns(inputs)
