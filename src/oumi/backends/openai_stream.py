"""The chunks of a streamed reply of the chat completions API, put together to a whole choice.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oumi.backends.openai_reasoning import join_details, read_details, read_reasoning
from oumi.backends.openai_reply import as_mapping, read_content
from oumi.backends.tool_call_parts import ToolCallAssembler
from oumi.core.types.completion import Delta, ToolCallDelta

_TEXT_FIELDS = frozenset({"role", "content"})


class StreamAssembler:
    """Reads the chunks of a streamed reply: a delta from each, and the whole choice at the end.

    `usage` is that of the last chunk that had any; None if none had. Without `streams_calls`, calls
    are in the whole choice alone: a runtime here makes up ids that the answer does not keep.
    """

    def __init__(self, *, streams_calls: bool = True) -> None:
        self._streams_calls = streams_calls
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._calls = ToolCallAssembler()
        self._finish_reason: Any = None
        self._logprobs: list[Any] = []
        self._index: Any = None  # of the choice that is read; a server may send several
        self.usage: Any = None

    @property
    def is_complete(self) -> bool:
        """Whether a finish reason has come."""
        return self._finish_reason is not None

    @property
    def text(self) -> str:
        """The text so far: what is left of an answer that breaks off."""
        return "".join(self._content or self._refusal or self._reasoning)

    @property
    def choice(self) -> dict[str, Any]:
        """What has come so far, as the entry of `choices` in a reply that was not streamed."""
        message: dict[str, Any] = {
            "content": "".join(self._content),
            "reasoning_content": "".join(self._reasoning),
            "tool_calls": self._calls.calls,
        }
        if self._refusal:
            message["refusal"] = "".join(self._refusal)
        if self._details:
            message["reasoning_details"] = self._details
        choice = {"message": message, "finish_reason": self._finish_reason}
        if self._logprobs:
            choice["logprobs"] = {"content": self._logprobs}
        return choice

    def add(self, chunk: Mapping[str, Any]) -> Delta | None:
        """Add a chunk; the text, reasoning and parts of calls in it, None if it has none.

        Raises LookupError, TypeError, AttributeError or ValueError for one that cannot be read.
        """
        self.usage = chunk.get("usage") or self.usage
        choice = self._find_choice(chunk.get("choices"))
        if choice is None:
            return None
        self._finish_reason = choice.get("finish_reason") or self._finish_reason
        self._add_logprobs(choice.get("logprobs"))
        delta = choice.get("delta")
        if not delta and not self.text:  # a whole answer in one chunk
            delta = choice.get("message")
        return self._add_delta(delta) if delta else None

    def _find_choice(self, choices: Any) -> Mapping[str, Any] | None:
        for choice in choices or ():
            index = choice.get("index") or 0
            if self._index is None:
                self._index = index
            if index == self._index:
                found: Mapping[str, Any] = choice
                return found
        return None

    def _add_logprobs(self, logprobs: Any) -> None:
        content = as_mapping(logprobs).get("content")
        if isinstance(content, list):
            self._logprobs += content

    def _add_delta(self, delta: Mapping[str, Any]) -> Delta | None:
        content, reasoning = read_content(delta.get("content"))
        calls: tuple[ToolCallDelta, ...] = ()
        if content:
            self._content.append(content)
        if not _TEXT_FIELDS.issuperset(delta):  # most deltas by far have nothing else
            reasoning = read_reasoning(delta) or reasoning
            join_details(self._details, read_details(delta))
            calls = self._add_calls(delta)
            content = content or self._add_refusal(delta.get("refusal"))
        if reasoning:
            self._reasoning.append(reasoning)
        has_any = content or reasoning or calls
        return Delta(content, reasoning, tool_calls=calls) if has_any else None

    def _add_refusal(self, refusal: Any) -> str:
        """Add a part of a refusal; what of it is shown, which stands in for content."""
        if not (refusal and isinstance(refusal, str)):
            return ""
        self._refusal.append(refusal)
        return "" if self._content else refusal

    def _add_calls(self, delta: Mapping[str, Any]) -> tuple[ToolCallDelta, ...]:
        """Add the parts of calls; those of them that are handed on."""
        added = [self._calls.add(part) for part in _call_parts(delta)]
        return tuple(filter(None, added)) if self._streams_calls else ()


def _call_parts(delta: Mapping[str, Any]) -> list[Any]:
    parts = delta.get("tool_calls")
    found = [parts] if isinstance(parts, dict) else list(parts or ())
    old = delta.get("function_call")  # the form before `tool_calls`
    return [*found, {"function": old}] if old else found
