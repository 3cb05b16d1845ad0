"""What goes between the driver and a worker: rows as JSON text, outcomes as values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from oumi.core.configs import InferenceConfig
from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.errors import EngineError, OumiError
from oumi.runner.request import Request

_AHEAD = 1.25
"""A quarter of the rows in flight waits: a way there and back takes milliseconds, an answer far
longer, so that few rows are enough."""


class Question(NamedTuple):
    """A request on its way to a worker."""

    number: int
    """Which reply belongs to it."""
    conversation: str
    """As JSON text."""
    config: InferenceConfig | None
    """Settings other than those that the worker was made with."""
    rest: tuple[Any, ...]
    """The other fields of the request."""

    @classmethod
    def of(cls, number: int, request: Request, usual: InferenceConfig) -> Question:
        """The request for the wire; `usual` are the settings that the worker knows."""
        config = None if request.config is usual else request.config
        return cls(number, request.conversation.to_json(), config, tuple(request[2:]))

    def request(self, usual: InferenceConfig) -> Request:
        """The request as it was."""
        conversation = Conversation.from_json(self.conversation)
        return Request(conversation, self.config or usual, *self.rest)


class Reply(NamedTuple):
    """What became of a question: a failure is a value too, so that Ray does not wrap it."""

    number: int
    completion: bytes | None
    """As JSON text."""
    error: OumiError | None = None
    headers: tuple[tuple[Mapping[str, str], int], ...] = ()
    """Of replies of an API that told of its limits, with their statuses."""
    tokens: int = 0
    """Of the answer."""

    @classmethod
    def done(cls, number: int, completion: Completion, headers: Any = ()) -> Reply:
        """An answer."""
        text, tokens = write_json(completion.to_dict()), completion.usage.completion_tokens
        return cls(number, text, None, tuple(headers), tokens)

    @classmethod
    def failed(cls, number: int, error: BaseException, headers: Any = ()) -> Reply:
        """The reason why there is none."""
        known = error if isinstance(error, OumiError) else EngineError(repr(error))
        return cls(number, None, known, tuple(headers))

    def outcome(self) -> Completion:
        """The answer. Raises what failed."""
        if self.error is not None:
            raise self.error
        return Completion.from_dict(parse_json(self.completion or b""))


@dataclass(frozen=True)
class WorkerFacts:
    """What a worker says of itself once its engine is loaded."""

    node: str
    """The host that it runs on."""
    node_id: str
    """The same for Ray."""
    identity: Mapping[str, Any]
    """What answers: engine, model and the fingerprint of its files."""
    max_in_flight: int
    """Most rows that its engine works on at once."""

    @property
    def most_rows(self) -> int:
        """Most rows that it is given at once. Some wait there, so that the engine goes on while
        replies and rows are on their way.
        """
        return math.ceil(self.max_in_flight * _AHEAD)
