"""Chat completions as a stream of chunks.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from __future__ import annotations

import time
from typing import Any

from oumi.core.json_text import write_json
from oumi.core.types.completion import Delta, ToolCallDelta, Usage
from oumi.server.http.ids import new_id
from oumi.server.openai_chat.reply import FINISH_REASONS, encode_usage

_END = b"}]}\n\n"


class ChatStream:
    """Writes the chunks of one reply, which may hold several answers side by side."""

    def __init__(self, model: str, *, shows_usage: bool):
        self._shows_usage = shows_usage
        self._facts = {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }
        head = write_json(self._facts).removesuffix(b"}")
        head = (b"data: " + head).replace(b"%", b"%%")
        self._head = head + b',"choices":[{"index":%d,"delta":'
        self._begun: set[int] = set()

    def start(self) -> bytes:
        """Nothing: each answer begins with its own first chunk."""
        return b""

    def add(self, sample: int, delta: Delta) -> bytes:
        """The chunk of a part, after that with the role where it is an answer's first."""
        chunks = b"" if sample in self._begun else self._begin(sample)
        fields = _fields(delta)
        if fields:
            chunks += self._chunk(sample, fields, b',"logprobs":null,"finish_reason":null')
        if delta.completion is not None:
            last = {
                "logprobs": delta.completion.logprobs,
                "finish_reason": FINISH_REASONS[delta.completion.finish_reason],
            }
            chunks += self._chunk(sample, {}, b"," + write_json(last)[1:-1])
        return chunks

    def end(self, usage: Usage) -> bytes:
        """The tokens, where they are asked for, and the mark of the end."""
        done = b"data: [DONE]\n\n"
        if not self._shows_usage:
            return done
        last = {**self._facts, "choices": [], "usage": encode_usage(usage)}
        return b"data: " + write_json(last) + b"\n\n" + done

    def _begin(self, sample: int) -> bytes:
        self._begun.add(sample)
        first = {"role": "assistant", "content": ""}
        return self._chunk(sample, first, b',"logprobs":null,"finish_reason":null')

    def _chunk(self, sample: int, fields: dict[str, Any], rest: bytes) -> bytes:
        return self._head % sample + write_json(fields) + rest + _END


def _fields(delta: Delta) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if delta.content:
        fields["content"] = delta.content
    if delta.reasoning_content:
        fields["reasoning_content"] = delta.reasoning_content
    if delta.tool_calls:
        fields["tool_calls"] = [_call_part(part) for part in delta.tool_calls]
    return fields


def _call_part(part: ToolCallDelta) -> dict[str, Any]:
    if not part.id:
        return {"index": part.index, "function": {"arguments": part.arguments}}
    function = {"name": part.name, "arguments": part.arguments}
    return {"index": part.index, "id": part.id, "type": "function", "function": function}
