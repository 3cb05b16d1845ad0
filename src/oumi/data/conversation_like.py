"""What callers may give as conversations, and how it becomes some."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from pydantic import ValidationError

from oumi.core.types.conversation import Conversation, Message, Role
from oumi.errors import InputError

ConversationLike: TypeAlias = (
    Conversation | str | Mapping[str, Any] | Sequence[Message | Mapping[str, Any]]
)
"""A conversation, a question as text, the dict of a conversation or of a message, or messages."""


class ArrowStream(Protocol):
    """A table of pandas, Polars, PyArrow, DuckDB, `datasets` or the like
    (https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html).
    """

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Its record batches."""
        ...


Conversations: TypeAlias = ConversationLike | Iterable[ConversationLike] | ArrowStream
"""One of these or any number of them; an iterator is gone through once. A table has columns of a
known shape, or the settings say by `prompt` what its rows ask."""

_EXPECTED = "expected a conversation, a text, a list of messages, or a dict with `messages`"


def to_conversations(given: Conversations) -> Iterator[Conversation]:
    """The conversations, one after the other. Raises InputError for what is none."""
    if hasattr(given, "__arrow_c_stream__") or hasattr(given, "__dataframe__"):
        raise InputError(f"a table ({type(given).__name__}): give one text or message list a row")
    rows = [given] if is_one(given) else given
    try:
        iterator = iter(rows)
    except TypeError:
        raise InputError(f"{_EXPECTED}, or many of them; found {type(given).__name__}") from None
    for index, row in enumerate(iterator):
        yield _to_conversation(row, f"row {index}")


def is_one(given: Conversations) -> bool:
    """Whether this is a single conversation rather than many."""
    if isinstance(given, Conversation | str | Mapping):
        return True
    return isinstance(given, Sequence) and len(given) > 0 and all(map(_is_message, given))


def _is_message(value: object) -> bool:
    return isinstance(value, Message) or (isinstance(value, Mapping) and "role" in value)


def _to_conversation(row: object, place: str) -> Conversation:
    if isinstance(row, Conversation):
        return row
    if isinstance(row, str):
        return Conversation(messages=[Message(role=Role.USER, content=row)])
    try:
        if _is_message(row):
            return Conversation.model_validate({"messages": [row]})
        if isinstance(row, Mapping) and "messages" in row:
            return Conversation.model_validate(dict(row))
        if isinstance(row, Sequence) and row and all(map(_is_message, row)):
            return Conversation.model_validate({"messages": list(row)})
    except ValidationError as error:
        raise InputError(f"{place}: {describe(error)}") from None
    raise InputError(f"{place}: {_EXPECTED}; found {type(row).__name__}: {row!r:.60}")


def describe(error: ValidationError) -> str:
    """What is wrong with the first wrong field of a conversation."""
    detail = error.errors()[0]
    field = ".".join(str(part) for part in detail["loc"])
    return f"{field}: {detail['msg'].removeprefix('Value error, ')}"
