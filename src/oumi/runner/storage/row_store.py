"""Where the answers of a run are recorded, and read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict, Unpack

from oumi.core.types.completion import Completion
from oumi.core.types.failure import Failure
from oumi.structured.contract import Contract

if TYPE_CHECKING:
    from oumi.core.types.answer import Answer

ContractAt: TypeAlias = Callable[[int], Contract | None]
"""What the answer to a row has to look like, by the row's number."""


def any_answer(row: int) -> None:
    """Nothing is asked of the answers."""


def always(contract: Contract | None) -> ContractAt:
    """The same for all rows."""
    return lambda row: contract


class Answers(Protocol):
    """The last record of each row: a journal, or something like it."""

    def read(self, row: int) -> Mapping[str, Any]:
        """The row's `completion`, `embedding` or `failure`; empty where nothing is recorded."""
        ...


class RowTimes(TypedDict):
    """Where the time of a row went."""

    latency_s: float
    """Seconds that its requests took which were answered: one, or with repairs several."""
    waited_s: float
    """All other seconds: for a place in the limits, and for tries that failed."""


class AnswerTimes(RowTimes, total=False):
    """The same with what only some answers have."""

    first_token_s: float
    """Seconds from the last request to the first piece of its answer, where it came in pieces."""


class RowStore(Answers, Protocol):
    """The journal of an output file, or memory."""

    def holds(self, row: int) -> bool:
        """Whether the row is recorded, and nothing more is to be done for it."""
        ...

    def earlier_answer(self, row: int) -> Completion | None:
        """An answer of an earlier run that is not valid, from which this one goes on."""
        ...

    def append(self, row: int, key: str, answer: Answer, **times: Unpack[AnswerTimes]) -> None:
        """Record an answer, in place of an earlier one of the row. Raises StorageError."""
        ...

    def note_valid(self, row: int) -> None:
        """Note that the answer that was just recorded is valid exactly as it is, so that it need
        not be judged again.
        """
        ...

    def append_failure(
        self, row: int, key: str, failure: Failure, **times: Unpack[RowTimes]
    ) -> None:
        """Record the reason why the row has no answer. Raises StorageError."""
        ...

    def sync(self) -> None:
        """Bring everything to the disk itself."""
        ...
