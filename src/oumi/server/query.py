"""What a client asks for, whichever API it speaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from oumi.core.types.completion import Completion, Delta, Usage
from oumi.core.types.conversation import Conversation, Message
from oumi.core.types.usage import sum_of
from oumi.server.http.endpoint import ErrorForm
from oumi.server.http.errors import HttpError, wrong_field

_NONE: Mapping[str, Any] = MappingProxyType({})


class Query(NamedTuple):
    """A request of a client, in our own types."""

    model: str | None
    """The name of the model that is wanted; None for the first one that is served."""
    conversation: Conversation
    settings: Mapping[str, Any] = _NONE
    """Fields of GenerationParams, unchecked."""
    origins: Mapping[str, str] = _NONE
    """The field of the request that each setting is from, for errors."""
    further: Sequence[Conversation] = ()
    """More conversations, which are asked under the same settings."""
    samples: int = 1
    """How many answers are wanted to each."""
    stream: bool = False
    shows_usage: bool = True
    """Whether a stream ends with the tokens that it took."""
    facts: Mapping[str, Any] = _NONE
    """What the reply has to repeat of the request."""

    @property
    def answers(self) -> int:
        """How many answers are wanted in all: those to a conversation follow one another."""
        return self.samples * (1 + len(self.further))


class Answer(NamedTuple):
    """The answers to a query, and the name of the model that gave them."""

    model: str
    completions: Sequence[Completion]

    @property
    def usage(self) -> Usage:
        """The tokens of all of them."""
        return usage_of_all(self.completions)

    @property
    def from_cache(self) -> bool:
        """Whether none of them was asked for anew."""
        return all(completion.from_cache for completion in self.completions)


def usage_of_all(completions: Sequence[Completion]) -> Usage:
    """The tokens of answers, those of answers before them that were not valid included."""
    if len(completions) == 1 and not completions[0].earlier:  # as mostly
        return completions[0].usage
    return sum_of(usage for one in completions for usage in _usages(one))


def _usages(completion: Completion) -> Iterator[Usage]:
    yield completion.usage
    for earlier in completion.earlier:
        yield earlier.usage


def added_message(completion: Completion) -> Message:
    """The message of an answer, without the text that the client gave to be continued."""
    message, prefill = completion.message, completion.prefill
    if not prefill or not isinstance(message.content, str):
        return message
    return message.model_copy(update={"content": message.content.removeprefix(prefill)})


class StreamEncoder(Protocol):
    """Writes an answer as the events of an API's stream."""

    def start(self) -> bytes:
        """What the stream begins with."""
        ...

    def add(self, sample: int, delta: Delta) -> bytes:
        """The events of a part of an answer. The last one of each has the completion."""
        ...

    def end(self, usage: Usage) -> bytes:
        """What the stream ends with."""
        ...


class Api(Protocol):
    """The form of an API: requests to queries, answers to replies. All of it is pure."""

    errors: ErrorForm

    def read(self, body: bytes) -> Query:
        """The query in the body of a request. Raises HttpError, which names the field."""
        ...

    def reply(self, query: Query, answer: Answer) -> bytes:
        """The body of a reply."""
        ...

    def stream(self, query: Query, model: str) -> StreamEncoder:
        """What writes the reply as a stream."""
        ...


def in_words_of(query: Query, text: str) -> HttpError:
    """An error of the settings, in which each is called by the field that it is from."""
    param = None
    for setting, name in query.origins.items():
        if (path := f"generation.{setting}") in text:
            text, param = text.replace(path, name), param or name
    return HttpError(400, text, param=param)


def check_media(conversation: Conversation, *, allows_files: bool) -> None:
    """Raise HttpError for what names a file of this machine, unless the settings name a folder of
    which clients may have files read.
    """
    if allows_files:
        return
    for number, message in enumerate(conversation.messages):
        for item in message.content_items if isinstance(message.content, list) else ():
            url = (item.content or "").lstrip().lower() if not item.is_text() else ""
            if item.type.form == "path" or url.startswith("file:"):
                raise wrong_field(
                    f"messages.{number}",
                    "it names a file of the server, which reads none: send its bytes as base64, or "
                    "set allowed_media_path where the server is started",
                )
