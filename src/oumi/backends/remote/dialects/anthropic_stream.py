"""Streamed replies of Anthropic's messages API, put together to whole ones.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oumi.backends.openai_reply import as_mapping
from oumi.backends.remote.dialects.message_blocks import read_input
from oumi.backends.remote.dialects.streamed_block import StreamedBlock
from oumi.backends.remote.errors import error_in_reply, to_text
from oumi.core.types.completion import Completion, Delta, ToolCallDelta

_JSON = "partial_json"
"""The field in which a block keeps the input of a call until it is whole."""
_TYPES = {
    "thinking_delta": "thinking",
    "signature_delta": "thinking",
    "input_json_delta": "tool_use",
}


class MessageAssembler:
    """Puts a message together from events. `decode` makes a completion of it.

    `by_tool` says that the answer is the input of a call, which is streamed as text then.
    """

    def __init__(self, decode: Callable[[Mapping[str, Any]], Completion], *, by_tool: bool):
        self._decode = decode
        self._by_tool = by_tool
        self._facts: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[Any, StreamedBlock] = {}
        self._calls: list[StreamedBlock] = []  # those of the blocks that are streamed as calls
        self._has_stopped = False

    @property
    def is_complete(self) -> bool:
        """Whether it is known why the answer ended, or that it did."""
        return bool(self._facts.get("stop_reason")) or (self._has_stopped and self.has_answer)

    @property
    def has_answer(self) -> bool:
        """Whether any block has begun."""
        return bool(self._blocks)

    @property
    def text(self) -> str:
        """The text so far, or the reasoning where there is no text yet."""
        blocks = self._blocks.values()
        texts = "".join(block.text("text") or block.text(_JSON) for block in blocks)
        return texts or "".join(block.text("thinking") for block in blocks)

    def add(self, event: Mapping[str, Any]) -> Delta | None:
        """Add an event. Raises BadReplyError for one that reports an error."""
        match event.get("type"):
            case "message_start":
                self._usage |= as_mapping(as_mapping(event.get("message")).get("usage"))
            case "content_block_start":
                block = self._blocks[event.get("index")] = StreamedBlock(event["content_block"])
                return self._begin_call(block)
            case "content_block_delta":
                return self._add_delta(event.get("index"), event["delta"])
            case "message_delta":
                self._facts |= _without_nulls(event.get("delta"))
                self._usage |= _without_nulls(event.get("usage"))
            case "message_stop":
                self._has_stopped = True
            case "error":
                raise error_in_reply(to_text(event))
        return None

    def completion(self) -> Completion:
        """The whole answer."""
        blocks = [self._whole(block) for block in self._blocks.values()]
        return self._decode({**self._facts, "content": blocks, "usage": self._usage})

    def _add_delta(self, index: Any, delta: Mapping[str, Any]) -> Delta | None:
        kind = delta.get("type")
        block = self._find_block(index, kind)
        match kind:
            case "text_delta":
                text = block.append("text", delta.get("text"))
                return Delta(text) if text else None
            case "thinking_delta":
                text = block.append("thinking", delta.get("thinking"))
                return Delta(reasoning_content=text) if text else None
            case "signature_delta":
                block.fields["signature"] = delta.get("signature")
            case "citations_delta":
                earlier = block.fields.get("citations") or ()
                block.fields["citations"] = [*earlier, delta.get("citation")]
            case "input_json_delta":
                return self._add_input(block, block.append(_JSON, delta.get(_JSON)))
        return None

    def _begin_call(self, block: StreamedBlock) -> Delta | None:
        """The first part of a call, where the block begins one that has an id and a name."""
        fields = block.fields
        call_id, name = fields.get("id"), fields.get("name")
        is_call = fields.get("type") == "tool_use" and not self._by_tool
        if not (is_call and call_id and name and isinstance(call_id, str)):
            return None
        self._calls.append(block)
        return Delta(tool_calls=(ToolCallDelta(len(self._calls) - 1, call_id, str(name)),))

    def _add_input(self, block: StreamedBlock, text: str) -> Delta | None:
        if not text:
            return None
        if self._by_tool:
            return Delta(text)
        if block not in self._calls:
            return None
        part = ToolCallDelta(self._calls.index(block), arguments=text)
        return Delta(tool_calls=(part,))

    def _find_block(self, index: Any, kind: Any) -> StreamedBlock:
        """The block of a delta. One whose start is missing begins with it."""
        block = self._blocks.get(index)
        if block is None and index is None and self._blocks:
            return next(reversed(self._blocks.values()))
        if block is None:
            block = self._blocks[index] = StreamedBlock({"type": _TYPES.get(kind, "text")})
        return block

    def _whole(self, block: StreamedBlock) -> dict[str, Any]:
        whole = block.to_dict()
        if text := whole.pop(_JSON, ""):
            whole["input"] = read_input(text, as_text=self._by_tool)
        return whole


def _without_nulls(values: Any) -> dict[str, Any]:
    return {name: value for name, value in as_mapping(values).items() if value is not None}
