"""What an engine gives back: whole answers, streamed pieces of them, and their token counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from oumi.core.types.message import FinishReason, Message
from oumi.core.types.usage import Usage as Usage

if TYPE_CHECKING:
    from oumi.core.types.conversation import Conversation


class Structured(StrEnum):
    """How an answer got the structure that was asked for."""

    NATIVE = "native"
    """The first answer was valid."""

    REPAIRED = "repaired"
    """The model was shown what was wrong, and a later answer was valid."""

    FAILED = "failed"
    """No answer was valid."""


class Completion(NamedTuple):
    """One answer of a model."""

    message: Message
    finish_reason: FinishReason = FinishReason.STOP
    usage: Usage = Usage()
    logprobs: Any = None
    """Log-probabilities as the engine returns them; None unless asked for."""
    earlier: tuple[Completion, ...] = ()
    """Earlier answers to the same row, which were not valid; the oldest first."""
    structured: Structured | None = None
    """How it got its structure; None if none was asked for or the answer is not checked yet."""
    raw_content: str | None = None
    """The whole text of the model, if the content was extracted from it."""
    prefill: str | None = None
    """The text of the conversation's last message where this answer continues it, and so takes its
    place (`generation.continue_final_message`)."""
    context_full: bool = False
    """Whether it was cut off because the model's context was full, not by `max_new_tokens`."""
    from_cache: bool = False
    """Whether an earlier run had it, so that it cost nothing (`InferenceConfig.cache`)."""
    price_share: float = 1.0
    """What a token of it cost, as a share of the ordinary price: less in a batch."""
    first_token_s: float | None = None
    """Seconds from the request to the first piece of the answer, where it came in pieces. No part
    of `to_dict`: it differs from run to run."""

    @property
    def record_name(self) -> str:
        """What it is called in a record of its row."""
        return "completion"

    @property
    def answers(self) -> tuple[Completion, ...]:
        """All answers to the row, this one last."""
        return (*self.earlier, self._replace(earlier=()) if self.earlier else self)

    def join(self, conversation: Conversation) -> Conversation:
        """The conversation with this answer at its end, usage and finish reason in its metadata.

        An answer that continues the last message takes its place.
        """
        if self.prefill is not None:
            before = conversation.messages[:-1]
            conversation = conversation.model_copy(update={"messages": before})
        message = self.message.with_usage(self.usage.to_dict())
        metadata = answer_metadata(conversation.metadata, self._facts())
        messages = [*conversation.messages, message]
        return conversation.model_copy(update={"messages": messages, "metadata": metadata})

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values."""
        data = {"message": self.message.to_dict(), **self._facts()}
        if self.earlier:
            data["earlier"] = [answer.to_dict() for answer in self.earlier]
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Completion:
        """The reverse of `to_dict`."""
        structured = data.get("structured")
        return cls(
            Message.model_validate(data["message"]),
            FinishReason(data["finish_reason"]),
            Usage.from_dict(data["usage"]),
            data.get("logprobs"),
            tuple(map(cls.from_dict, data.get("earlier", ()))),
            None if structured is None else Structured(structured),
            data.get("raw_content"),
            data.get("prefill"),
            data.get("context_full", False),
            data.get("from_cache", False),
            data.get("price_share", 1.0),
        )

    def _facts(self) -> dict[str, Any]:
        """What `to_dict` says of this answer besides its message."""
        data: dict[str, Any] = {
            "finish_reason": str(self.finish_reason),
            "usage": self.usage.to_dict(),
        }
        if self.logprobs is not None:
            data["logprobs"] = self.logprobs
        if self.structured is not None:
            data["structured"] = self.structured.value
        if self.raw_content is not None:
            data["raw_content"] = self.raw_content
        if self.prefill is not None:
            data["prefill"] = self.prefill
        if self.context_full:
            data["context_full"] = True
        if self.from_cache:
            data["from_cache"] = True
        if self.price_share != 1.0:
            data["price_share"] = self.price_share
        return data


_SOMETIMES = ("logprobs", "structured", "raw_content", "from_cache")
_METADATA = ("usage", "finish_reason", *_SOMETIMES)


def answer_metadata(given: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a conversation with what an answer adds, from its `Completion.to_dict`, in
    place of what an earlier answer has added.
    """
    added = {"usage": record["usage"], "finish_reason": record["finish_reason"]}
    for name in _SOMETIMES:
        if name in record:
            added[name] = record[name]
    if not given:
        return added
    kept = {k: value for k, value in given.items() if k not in _METADATA or k in record}
    return {**kept, **added}


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A streamed part of a tool call. The first one of each call has its id and its name."""

    index: int
    """Which call of the answer it is of, from 0, in the order in which they begin."""
    id: str = ""
    name: str = ""
    arguments: str = ""
    """The next part of the arguments; all of them joined are JSON text."""


@dataclass(frozen=True, slots=True)
class Delta:
    """A streamed part of an answer. The last one holds the whole answer as `completion`."""

    content: str = ""
    reasoning_content: str = ""
    completion: Completion | None = None
    tool_calls: tuple[ToolCallDelta, ...] = ()
    """Parts of tool calls. An engine that does not stream calls gives them whole, at the end."""

    @property
    def is_piece(self) -> bool:
        """Whether anything of the answer is in it."""
        return bool(self.content or self.reasoning_content or self.tool_calls)
