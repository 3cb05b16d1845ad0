"""Replies of the OpenAI chat API, whole and streamed.

https://platform.openai.com/docs/api-reference/chat/object
https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from oumi.backends.openai_reply import decode_choice, decode_finish_reason
from oumi.backends.openai_stream import StreamAssembler
from oumi.backends.remote.dialects.json_events import JsonEvents
from oumi.backends.remote.dialects.openai_api import decode_reply
from oumi.backends.remote.dialects.reply import no_answer
from oumi.backends.remote.dialects.stream import ReplyStream
from oumi.backends.remote.errors import error_in_reply, to_text
from oumi.core.configs import InferenceConfig
from oumi.core.types.completion import Completion, Delta
from oumi.core.types.conversation import FinishReason

_CONTENT_FIELDS = (
    "content",
    "tool_calls",
    "function_call",
    "refusal",
    "reasoning_content",
    "reasoning",
)
_ERROR_FIELDS = ("message", "detail")


def decode(body: bytes, config: InferenceConfig) -> Completion:
    """The completion in a reply.

    Raises BadReplyError for a body without an answer, UnreadableAnswerError for a strange one.
    """
    return decode_reply(body, config, stream_decoder, _find_choice, _decode_choice)


def stream_decoder(config: InferenceConfig) -> ReplyStream:
    """A decoder for one streamed reply."""
    return ReplyStream(JsonEvents(), _ChatAssembler(config), partial(decode, config=config))


class _ChatAssembler:
    """Puts an answer together from the chunks of a stream."""

    def __init__(self, config: InferenceConfig) -> None:
        self._config = config
        self._choice = StreamAssembler()

    @property
    def is_complete(self) -> bool:
        """Whether a finish reason has come."""
        return self._choice.is_complete

    @property
    def has_answer(self) -> bool:
        """Whether there is any text, reasoning or call so far."""
        return bool(self._choice.text or self._choice.choice["message"]["tool_calls"])

    @property
    def text(self) -> str:
        """The text so far."""
        return self._choice.text

    def add(self, event: Mapping[str, Any]) -> Delta | None:
        """Add a chunk. Raises BadReplyError for one that reports an error."""
        choices = event.get("choices")
        if not choices:
            _check_is_no_error(event)
        elif isinstance(choices, list) and choices[0].get("error"):
            raise error_in_reply(to_text(choices[0]))
        return self._choice.add(event)

    def completion(self) -> Completion:
        """The whole answer. Raises BadReplyError where none came."""
        choice = self._choice.choice
        if not self.has_answer and _is_failure(choice):
            raise no_answer(to_text(choice))
        return _decode_choice(choice, self._choice.usage, self._config)


def _check_is_no_error(event: Mapping[str, Any]) -> None:
    """Raise the error of an event that is nothing but a message, as some servers send it."""
    if "choices" not in event and any(event.get(name) for name in _ERROR_FIELDS):
        raise error_in_reply(to_text(event))


def _find_choice(choices: Any) -> dict[str, Any] | None:
    """The first choice; None where it holds no answer."""
    first = choices[0] if isinstance(choices, list) and len(choices) == 1 else _lowest(choices)
    if not isinstance(first, dict) or first.get("error"):
        return None
    message = first.get("message")
    if not isinstance(message, dict):
        return _from_text(first)
    return first if _holds_answer(message, first) else None


def _lowest(choices: Any) -> Any:
    """The choice with the lowest index: not every server sends them in order. What is no list is
    itself the choice.
    """
    if not isinstance(choices, list):
        return choices
    numbered = [choice for choice in choices if isinstance(choice, dict)]
    indices = [choice.get("index") for choice in numbered]
    if not all(isinstance(index, int) for index in indices):
        return choices[0]
    return min(numbered, key=lambda choice: int(choice["index"]), default=None)


def _from_text(choice: dict[str, Any]) -> dict[str, Any] | None:
    """A choice whose answer stands where that of another API does."""
    for name in ("text", "delta"):
        value = choice.get(name)
        if value and isinstance(value, str):
            return {**choice, "message": {"content": value}}
        if isinstance(value, dict) and _holds_answer(value, choice):
            return {**choice, "message": value}
    return None


def _holds_answer(message: Mapping[str, Any], choice: Mapping[str, Any]) -> bool:
    """Whether there is content, or a reason why the answer is empty."""
    for name in _CONTENT_FIELDS:
        if message.get(name) is not None:
            return True
    return not _is_failure(choice)


def _is_failure(choice: Mapping[str, Any]) -> bool:
    """Whether the model has not ended its answer."""
    reason = choice.get("finish_reason")
    return not reason or decode_finish_reason(reason) is FinishReason.ERROR


def _decode_choice(choice: Mapping[str, Any], usage: Any, config: InferenceConfig) -> Completion:
    message = choice["message"]
    if message.get("refusal") and not message.get("content"):
        choice = {
            **choice,
            "message": {**message, "content": message["refusal"]},
            "finish_reason": "content_filter",
        }
    return decode_choice(choice, usage, logprobs=config.generation.logprobs is not None)
