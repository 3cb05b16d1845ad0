"""A row of a run as the report sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
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


@dataclass
class ReportRow:
    """Made once a row; what follows from it is worked out when it is asked for."""

    index: int
    """Counts from 0, as in the file of failures."""
    conversation: Mapping[str, Any]
    """As JSON values, with its answer where there is one."""
    failure: Mapping[str, Any] | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    """What the journal says besides the answer: `latency_s`, `recorded_at`, `earlier`."""
    line: int | None = None
    """The number of its line in the input, where that is known."""

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """That of the conversation."""
        found = self.conversation.get("metadata")
        return found if isinstance(found, dict) else {}

    @property
    def own_metadata(self) -> dict[str, Any]:
        """The metadata that was there before the run."""
        return {k: v for k, v in self.metadata.items() if k not in _NOT_METADATA}

    @cached_property
    def status(self) -> RowStatus:
        """What became of it."""
        if self.failure is not None:
            return RowStatus.FAILED
        if self.metadata.get("structured") == Structured.REPAIRED:
            return RowStatus.REPAIRED
        return RowStatus.UNANSWERED if self.answer is None else RowStatus.DONE

    @cached_property
    def messages(self) -> list[dict[str, Any]]:
        """Those of the conversation that can be shown."""
        found = self.conversation.get("messages")
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @cached_property
    def answer(self) -> str | None:
        """The text of the answer; empty for one that calls tools alone."""
        if self.failure is not None or not self.messages:
            return None
        last = self.messages[-1]
        return text_of(last) if last.get("role") == "assistant" else None

    @cached_property
    def usage(self) -> Usage | None:
        """The tokens that it took; None where they are not known."""
        found = (self.failure or self.metadata).get("usage")
        try:
            return Usage.from_dict(found) if found else None
        except (LookupError, TypeError, AttributeError):
            return None

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


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, from all parts that have any."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = (part.get("content") or part.get("text") for part in content if isinstance(part, dict))
    return "".join(part for part in parts if isinstance(part, str))
