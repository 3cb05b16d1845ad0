"""Where rows come from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from oumi.core.digest import new_digest
from oumi.data.records.record import Record, parse_record
from oumi.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from oumi.core.configs.generation_params import GenerationParams
    from oumi.core.types.conversation import Conversation

NO_MESSAGES = "a conversation without messages"

SAMPLE = "sample"
"""The field of a conversation's metadata, and the column of a table, with the sample's number."""


class Prefix(NamedTuple):
    """The beginning of a conversation: whole messages, and parts of the one that follows."""

    messages: int = 0
    parts: int = 0


NO_PREFIX = Prefix()


class Row(NamedTuple):  # quicker to make than a frozen dataclass
    """A row of the input: a conversation, or the reason why it is none."""

    index: int  # type: ignore[assignment]  # of the row, where tuples have a method
    """Counts from 0."""
    conversation: Conversation | None
    error: InputError | None = None
    line: int | None = None
    """The number of its line, counted from 1, where it comes from a file with lines."""
    generation: GenerationParams | None = None
    """Settings of its own, over those of the run."""
    shared: Prefix = NO_PREFIX
    """What it and other rows begin with, where that has been looked at."""
    sample: int = 0
    """Which of its samples is asked for."""
    repeat: int = 0
    """How many rows before it are equal to it, where that has been looked at."""


class Source(ABC):
    """Rows that can be gone through any number of times, in the same order."""

    name: str
    """What errors call it."""

    in_memory: bool = False
    """Whether the caller holds the rows as objects, so that results are handed out as objects."""

    recognised: str | None = None
    """What its rows were taken for, where that is not plain; to be said once."""

    paths: Sequence[Path] = ()
    """The files that it reads."""

    table: pa.Table | None = None
    """The rows of the input as a table of Arrow, where the caller holds them as one."""

    has_settings: bool = False
    """Whether rows may bring settings of their own."""

    has_schemas: bool = False
    """Whether a schema of the answer may be among these."""

    may_be_empty: bool = False
    """Whether no rows at all are no mistake."""

    num_samples: int = 1
    """How many samples of each row of the input follow one another."""

    @abstractmethod
    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` on; those before cost little. One that cannot be read is a
        row with an error.
        """

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are, from what can be told at once; None where nothing can."""
        return None

    @abstractmethod
    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The same rows as JSON text, unchecked, each with the number of its line if it has one."""

    def records(self) -> Iterator[Record]:
        """The same rows by their columns, which for a conversation are its fields."""
        for number, line in self.lines():
            yield parse_record(number, line)

    @property
    def schema(self) -> pa.Schema | None:
        """The types of the columns, where their format has any."""
        return None

    @property
    def text_columns(self) -> Sequence[str] | None:
        """The names of the columns, where their format has them and all values are texts."""
        return None

    @abstractmethod
    def line_of(self, index: int) -> bytes:
        """One row as JSON text, unchecked."""

    def generation_of(self, index: int) -> GenerationParams | None:
        """The settings of one row. Rows that are asked for in order cost one pass."""
        return None

    @abstractmethod
    def place(self, row: Row) -> str:
        """Where a row stands, for error messages."""

    @abstractmethod
    def fingerprint(self) -> str:
        """A hash of the content: 32 hexadecimal digits."""

    def input_fingerprint(self) -> str:
        """The same without the number of samples."""
        return self.fingerprint()

    @abstractmethod
    def copy_to(self, file: BinaryIO) -> None:
        """Write all rows as JSONL, each at the line number that it has here, without the settings
        that rows bring along.
        """


class ListSource(Source):
    """Conversations in memory, as they are now: the caller may go on with them."""

    in_memory = True
    may_be_empty = True

    def __init__(self, conversations: Iterable[Conversation]):
        self.name = "the list of conversations"
        self._conversations = [_copy(conversation) for conversation in conversations]
        self._not_json: dict[int, InputError] = {}  # known once the rows were written as JSON

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` on."""
        for index, conversation in enumerate(self._conversations[start:], start):
            error = self._not_json.get(index)
            if not conversation.messages:
                error = InputError(f"row {index}: {NO_MESSAGES}")
            yield Row(index, None, error) if error else Row(index, conversation)

    @property
    def estimated_rows(self) -> int:
        """How many rows there are."""
        return len(self._conversations)

    def lines(self) -> Iterator[tuple[None, bytes]]:
        """The same rows as JSON text. One that has none is null, and from then on has an error."""
        for index, conversation in enumerate(self._conversations):
            try:
                yield None, conversation.to_json().encode()
            except ValueError as error:
                self._not_json[index] = InputError(f"row {index}: no form in JSON: {error}")
                yield None, b"null"

    def line_of(self, index: int) -> bytes:
        """One row as JSON text."""
        return self._conversations[index].to_json().encode()

    def place(self, row: Row) -> str:
        """Its number."""
        return f"row {row.index}"

    def fingerprint(self) -> str:
        """A hash of the content."""
        digest = new_digest()
        for _, line in self.lines():
            digest.update(line)
        return digest.hexdigest()

    def copy_to(self, file: BinaryIO) -> None:
        """Write all rows as JSONL."""
        file.writelines(line + b"\n" for _, line in self.lines())


def _copy(conversation: Conversation) -> Conversation:
    """The messages, which are frozen themselves, in a list of our own."""
    return conversation.model_copy(update={"messages": list(conversation.messages)})
