"""A row of a run as the report sees it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any

from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.core.types.completion import Structured, Usage

_NOT_METADATA = frozenset({"usage", "finish_reason", "logprobs", "structured", "raw_content"})
"""What a run adds to the metadata of a conversation, and the report shows elsewhere."""


class RowStatus(StrEnum):
    """What became of a row."""

    DONE = "done"
    REPAIRED = "repaired"
    """Its first answer did not have the structure that was asked for; a later one does."""
    FAILED = "failed"
    UNANSWERED = "unanswered"
    """A conversation without an answer, of a file that no run has written."""


class ReportRow:
    """What the figures need of a row is worked out at once, as a million rows are all counted."""

    def __init__(
        self,
        index: int,
        conversation: Mapping[str, Any],
        failure: Mapping[str, Any] | None = None,
        record: Mapping[str, Any] = MappingProxyType({}),
        line: int | None = None,
    ):
        self.index = index
        """Counts from 0, as in the file of failures."""
        self.conversation = conversation
        """As JSON values, with its answer where there is one."""
        self.failure = failure
        self.record = record
        """What the journal says besides the answer: times, `price_share`, and `earlier` answers."""
        self.line = line
        """The number of its line in the input, where that is known."""
        metadata = conversation.get("metadata")
        self.metadata: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
        messages = conversation.get("messages")
        self.messages: list[Any] = messages if isinstance(messages, list) else []
        self.answer = self._answer()
        """The text of the answer; empty for one that calls tools alone."""
        self.status = self._status()
        self.usage = _usage_of((failure or self.metadata).get("usage"))
        """The tokens that it took; None where they are not known."""

    def _answer(self) -> str | None:
        last = self.messages[-1] if self.messages and self.failure is None else None
        if not isinstance(last, dict) or last.get("role") != "assistant":
            return None
        return text_of(last)

    def _status(self) -> RowStatus:
        if self.failure is not None:
            return RowStatus.FAILED
        if self.metadata.get("structured") == Structured.REPAIRED:
            return RowStatus.REPAIRED
        return RowStatus.UNANSWERED if self.answer is None else RowStatus.DONE

    @property
    def price_share(self) -> float:
        """What a token of it cost, as a share of the price: less in a batch, nothing in a cache."""
        return 0.0 if self.metadata.get("from_cache") else self.record.get("price_share", 1.0)

    @property
    def own_metadata(self) -> dict[str, Any]:
        """The metadata that was there before the run."""
        return {k: v for k, v in self.metadata.items() if k not in _NOT_METADATA}

    @cached_property
    def key(self) -> str:
        """By which rows of several runs belong together: the id, or else a hash of the question."""
        if (name := self.conversation.get("conversation_id")) is not None:
            return str(name)
        asked = self.messages if self.answer is None else self.messages[:-1]
        digest = new_digest()
        digest.update(write_json([self.conversation.get("tools"), *asked], sort_keys=True))
        return digest.hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """What the page needs to show the row whole."""
        data: dict[str, Any] = {"row": self.index, "conversation": self.conversation}
        if self.line is not None:
            data["line"] = self.line
        if self.failure is not None:
            data["failure"] = self.failure
        return data | dict(self.record)


def _usage_of(found: Any) -> Usage | None:
    """The tokens in metadata, which may be that of any file."""
    if not isinstance(found, dict):
        return None
    try:
        return Usage.from_dict({k: v for k, v in found.items() if type(v) is int})
    except LookupError:
        return None


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, from all parts that have any."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("content") or part.get("text") for part in content if isinstance(part, dict))
    return "".join(part for part in parts if isinstance(part, str))
