"""Messages as a stream of events.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from typing import Any, NamedTuple

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import Delta, ToolCallDelta, Usage
from oumi.server.anthropic.reply import encode_usage, new_message, stop_reason

_THINKING, _TEXT = "thinking", "text"


class _Part(NamedTuple):
    """A part of a block: of thinking, of text, or of the call of that number."""

    block: str | int
    text: str
    call: ToolCallDelta | None = None


class MessageStream:
    """Writes the events of one reply. Blocks follow each other: what belongs to another one waits
    while a call is open whose arguments are not whole yet.
    """

    def __init__(self, model: str):
        self._message = new_message(model)
        self._count = 0  # blocks that have begun
        self._open: str | int | None = None
        self._arguments = ""  # of the call that is open
        self._waiting: list[_Part] = []
        self._stop_reason = "end_turn"

    def start(self) -> bytes:
        """The message, of which nothing has come yet."""
        return _event("message_start", message=self._message)

    def add(self, sample: int, delta: Delta) -> bytes:
        """The events of a part. There is one answer alone in this API."""
        if delta.completion is not None:
            self._stop_reason = stop_reason(delta.completion)
        parts = [_Part(_THINKING, delta.reasoning_content), _Part(_TEXT, delta.content)]
        parts += [_Part(call.index, call.arguments, call) for call in delta.tool_calls]
        self._waiting += [part for part in parts if part.text or part.call]
        return self._write(is_end=False)

    def end(self, usage: Usage) -> bytes:
        """What still waits, and how it ended."""
        rest = self._write(is_end=True) + self._close()
        delta = {"stop_reason": self._stop_reason, "stop_sequence": None}
        rest += _event("message_delta", delta=delta, usage=encode_usage(usage))
        return rest + _event("message_stop")

    def _write(self, *, is_end: bool) -> bytes:
        """The events of all parts that may come now, in the order of their blocks."""
        events = b""
        while self._waiting:
            part = next((p for p in self._waiting if p.block == self._open), None)
            if part is None:
                if not (is_end or self._may_close()):
                    break
                part = self._waiting[0]
                events += self._close() + self._begin(part)
            self._waiting.remove(part)
            events += self._delta(part)
        return events

    def _may_close(self) -> bool:
        """Whether the open block is whole: a call is once its arguments are an object."""
        if not isinstance(self._open, int):
            return True
        text = self._arguments.rstrip()
        if not text.endswith("}"):
            return False
        try:
            return isinstance(parse_json(text), dict)
        except ValueError:
            return False

    def _begin(self, part: _Part) -> bytes:
        self._open, self._arguments = part.block, ""
        block: dict[str, Any] = {"type": _TEXT, "text": ""}
        if part.block == _THINKING:
            block = {"type": _THINKING, "thinking": "", "signature": ""}
        elif part.call is not None:
            facts = {"id": part.call.id, "name": part.call.name}
            block = {"type": "tool_use", **facts, "input": {}}
        event = _event("content_block_start", index=self._count, content_block=block)
        self._count += 1
        return event

    def _delta(self, part: _Part) -> bytes:
        if not part.text:
            return b""
        if part.block == _THINKING:
            delta = {"type": "thinking_delta", "thinking": part.text}
        elif part.block == _TEXT:
            delta = {"type": "text_delta", "text": part.text}
        else:
            self._arguments += part.text
            delta = {"type": "input_json_delta", "partial_json": part.text}
        return _event("content_block_delta", index=self._count - 1, delta=delta)

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        self._open = None
        return _event("content_block_stop", index=self._count - 1)


def _event(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), write_json({"type": kind, **fields}))
