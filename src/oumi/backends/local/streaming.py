"""Text that can be streamed while the rest is still being generated.

A delta that was sent cannot be taken back. So text that may turn out to be the start of a stop
string, of `</think>` or of a tool call is held back until the following text decides it.
"""

from __future__ import annotations

from collections.abc import Sequence

from oumi.backends.local.reasoning import THINK_END, THINK_START
from oumi.backends.local.tool_calls import TOOL_CALL_START
from oumi.core.types.completion import Completion, Delta

# Tokenizers decode a character whose last bytes are still missing to this.
INCOMPLETE_CHARACTER = "\N{REPLACEMENT CHARACTER}"
"""What stands at the end of a text for such a one."""


def text_before(text: str, markers: Sequence[str]) -> str:
    """The text up to the first marker, or up to what may be the start of one at the end."""
    found = [at for at in map(text.find, markers) if at >= 0]
    if found:
        return text[: min(found)]
    held_back = max((_partial_match_length(text, marker) for marker in markers), default=0)
    return text[: len(text) - held_back]


def _partial_match_length(text: str, marker: str) -> int:
    """How many characters at the end of the text are the start of the marker."""
    lengths = range(min(len(marker) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(marker[:length])), 0)


class TextStreamer:
    """Cuts one growing answer into deltas, which joined together are the whole answer.

    `stop_strings` end the answer; with `tools`, tool calls are kept out of the content, and with
    `thoughts` a thought at its start.
    """

    def __init__(self, stop_strings: Sequence[str], *, tools: bool, thoughts: bool = True):
        self._stop_strings = stop_strings
        self._tools = tools
        self._thoughts = thoughts
        self._sent_content = ""
        self._sent_reasoning = ""

    def update(self, text: str) -> Delta | None:
        """What can be sent now; None if nothing. `text` is everything generated so far."""
        complete = text.rstrip(INCOMPLETE_CHARACTER)
        return self._unsent(*self._sendable(text_before(complete, self._stop_strings)))

    def finish(self, completion: Completion) -> list[Delta]:
        """What was held back, if anything, and the delta that carries the completion."""
        message = completion.message
        content = message.content if isinstance(message.content, str) else ""
        rest = self._unsent(content, message.reasoning_content or "")
        return [*([rest] if rest else ()), Delta(completion=completion)]

    def _unsent(self, content: str, reasoning: str) -> Delta | None:
        """The part of the texts that was not sent before; from now on it counts as sent."""
        delta = Delta(content[len(self._sent_content) :], reasoning[len(self._sent_reasoning) :])
        # A text may be shorter than before: white space at its end is stripped at times.
        self._sent_content = max(self._sent_content, content, key=len)
        self._sent_reasoning = max(self._sent_reasoning, reasoning, key=len)
        return delta if delta.content or delta.reasoning_content else None

    def _sendable(self, text: str) -> tuple[str, str]:
        """The content and the reasoning that no later text can change."""
        start = text.lstrip()
        if not self._thoughts:
            return self._sendable_content(text), ""
        if start.startswith(THINK_START):
            reasoning, end, content = start[len(THINK_START) :].partition(THINK_END)
            if not end:
                return "", text_before(reasoning, [THINK_END]).strip()
            return self._sendable_content(content.lstrip()), reasoning.strip()
        if THINK_START.startswith(start):  # "<thi" may become a marker
            return "", ""
        return self._sendable_content(text), ""

    def _sendable_content(self, content: str) -> str:
        if not self._tools:
            return content
        # White space around tool calls is no part of the answer, so it waits for what follows.
        if content[:1].isspace():
            return ""
        return text_before(content, [TOOL_CALL_START]).rstrip()
