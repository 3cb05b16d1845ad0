"""What a row is answered with, whatever was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from oumi.core.types.completion import Completion
from oumi.core.types.embedding import Embedding
from oumi.errors import InputError

Answer: TypeAlias = Completion | Embedding


def answer_in(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer in the record of a row, as JSON values; None where it holds none."""
    found: dict[str, Any] | None = record.get("completion") or record.get("embedding")
    return found


def completion_in(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The same of a record that is to be shown. Raises InputError for an embedding."""
    if "embedding" in record:
        raise InputError("the rows of this run have vectors, of which there is nothing to show")
    return answer_in(record)


def read_answer(values: Mapping[str, Any]) -> Answer:
    """The answer of these JSON values. Raises ValueError, LookupError, TypeError."""
    return Embedding.from_dict(values) if "vector" in values else Completion.from_dict(values)
