"""What a row is answered with, whatever was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from oumi.core.types.completion import Completion
from oumi.core.types.embedding import Embedding

Answer: TypeAlias = Completion | Embedding


def answer_in(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answer in the record of a row, as JSON values; None where it holds none."""
    found: dict[str, Any] | None = record.get("completion") or record.get("embedding")
    return found


def read_answer(values: Mapping[str, Any]) -> Answer:
    """The answer of these JSON values. Raises ValueError, LookupError, TypeError."""
    return Embedding.from_dict(values) if "vector" in values else Completion.from_dict(values)
