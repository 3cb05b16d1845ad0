"""Where finished rows go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Sink(Protocol):
    """Takes the rows of a run in input order: those with an answer, and those that failed."""

    def add_answer(self, line: bytes, completion: Mapping[str, Any]) -> None:
        """Write a row, as JSON text, with its answer in the form of `Completion.to_dict`."""
        ...

    def add_failure(
        self, index: int, number: int | None, line: bytes, failure: Mapping[str, Any]
    ) -> None:
        """Write a row that has no answer, with the reason in the form of `Failure.to_dict`."""
        ...
