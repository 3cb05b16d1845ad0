"""What of an answer can be shown while it is still being written.

A piece that was shown cannot be taken back. So the start of what may become a stop string, the end
of a thought or a tool call is held back until it is clear what it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from oumi.core.types.completion import Completion, Delta

_THINK, _THOUGHT = "<think>", "</think>"
_TOOL_CALL = "<tool_call>"
_BROKEN = "\N{REPLACEMENT CHARACTER}"


def before(text: str, marks: Sequence[str]) -> str:
    """The text up to the first of the marks, or up to what may be the beginning of one."""
    found = [at for at in map(text.find, marks) if at >= 0]
    if found:
        return text[: min(found)]
    return text[: len(text) - max((_begun(text, mark) for mark in marks), default=0)]


def _begun(text: str, mark: str) -> int:
    """How many characters at the end of the text are the beginning of the mark."""
    lengths = range(min(len(mark) - 1, len(text)), 0, -1)
    return next((n for n in lengths if text.endswith(mark[:n])), 0)


class TextStreamer:
    """The pieces of one answer. Joined, they are the whole."""

    def __init__(self, stops: Sequence[str], *, tools: bool):
        self._stops = stops
        self._tools = tools
        self._content = ""
        self._reasoning = ""

    def take(self, text: str) -> Delta | None:
        """What can be shown now. `text` is all that was written, or that without broken ends."""
        content, reasoning = self._visible(before(text.rstrip(_BROKEN), self._stops))
        return self._go_on(content, reasoning)

    def end(self, completion: Completion) -> list[Delta]:
        """What is left to show, and the completion."""
        message = completion.message
        content = message.content if isinstance(message.content, str) else ""
        rest = self._go_on(content, message.reasoning_content or "")
        return [*([rest] if rest else ()), Delta(completion=completion)]

    def _go_on(self, content: str, reasoning: str) -> Delta | None:
        delta = Delta(content[len(self._content) :], reasoning[len(self._reasoning) :])
        self._content = max(self._content, content, key=len)
        self._reasoning = max(self._reasoning, reasoning, key=len)
        return delta if delta.content or delta.reasoning_content else None

    def _visible(self, text: str) -> tuple[str, str]:
        start = text.lstrip()
        if start.startswith(_THINK):
            thought, closed, content = start[len(_THINK) :].partition(_THOUGHT)
            if not closed:
                return "", before(thought, [_THOUGHT]).strip()
            return self._visible_content(content.lstrip()), thought.strip()
        if _THINK.startswith(start):
            return "", ""
        return self._visible_content(text), ""

    def _visible_content(self, content: str) -> str:
        if not self._tools:
            return content
        # White space around calls is not part of the answer.
        return "" if content[:1].isspace() else before(content, [_TOOL_CALL]).rstrip()
