"""Where finished rows go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol, TypeAlias

from oumi.data.source import SAMPLE, Source


class Sink(Protocol):
    """Takes the rows of a run in input order: those with an answer, and those that failed."""

    @property
    def digest(self) -> str:
        """A hash of all that was written to the output, once `finish` was called."""
        ...

    def rows(self, source: Source) -> Iterator[tuple[int | None, Any]]:
        """The rows of a source as they are taken below, each with the number of its line."""
        ...

    def add_answer(self, row: Any, answer: Mapping[str, Any]) -> None:
        """Write a row with its answer, which is JSON values, as in a record."""
        ...

    def add_failure(
        self, index: int, number: int | None, row: Any, failure: Mapping[str, Any]
    ) -> None:
        """Write a row that has no answer, with the reason in the form of `Failure.to_dict`."""
        ...

    def finish(self) -> None:
        """Write what is left."""
        ...


def failure_record(
    index: int, num_samples: int, number: int | None, failure: Mapping[str, Any]
) -> dict[str, Any]:
    """How a line of the file of failures begins: the row's number, that of its sample where there
    are several, the line of the input, and the reason.
    """
    row, sample = divmod(index, num_samples)
    record: dict[str, Any] = {"row": row}
    if num_samples > 1:
        record[SAMPLE] = sample
    if number is not None:
        record["line"] = number
    return {**record, "failure": failure}


OpenSink: TypeAlias = Callable[[BinaryIO, BinaryIO, Source], Sink]
"""Makes a sink of the output file, the file of failures, and the source of the rows."""
