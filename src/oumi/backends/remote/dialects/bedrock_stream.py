"""Streamed replies of Bedrock's Converse, put together to whole ones.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from oumi.backends.openai_reply import as_mapping
from oumi.backends.remote.dialects.message_blocks import read_input
from oumi.backends.remote.dialects.reply import decode_object
from oumi.backends.remote.dialects.streamed_block import StreamedBlock
from oumi.backends.remote.errors import BadReplyError, read_error
from oumi.core.types.completion import Completion, Delta
from oumi.errors import MissingDependencyError

_ERROR_STATUS = {
    "throttlingException": 429,
    "serviceUnavailableException": 503,
    "internalServerException": 500,
    "modelStreamErrorException": 424,
    "validationException": 400,
}


class ConverseEvent(NamedTuple):
    """An event: its kind, such as `contentBlockDelta`, and its fields."""

    kind: str
    fields: dict[str, Any]


class ConverseEvents:
    """Bytes in, whole events out. Raises BadReplyError for one that reports an error."""

    is_done = False  # no event says so

    def __init__(self) -> None:
        self._buffer = _event_buffer()

    def feed(self, chunk: bytes) -> Iterator[ConverseEvent]:
        """The events that end within `chunk`."""
        self._buffer.add_data(chunk)
        while (event := self._next()) is not None:
            yield _read_event(event.headers, event.payload)

    def end(self) -> Iterator[ConverseEvent]:
        """None: each event says how long it is."""
        return iter(())

    def _next(self) -> Any:
        try:
            return next(self._buffer, None)
        except Exception as error:  # it checks sums and lengths, but trusts the rest
            raise BadReplyError(f"a stream that is no stream of events: {error}") from error


class ConverseAssembler:
    """Puts a message together from events. `decode` makes a completion of its blocks and facts.

    `by_tool` says that the answer is the input of a call, which is streamed as text then.
    """

    def __init__(self, decode: Callable[[Any, Mapping[str, Any]], Completion], *, by_tool: bool):
        self._decode = decode
        self._by_tool = by_tool
        self._blocks: dict[int, _Block] = {}
        self._end: dict[str, Any] = {}
        self._has_stopped = False

    @property
    def is_complete(self) -> bool:
        """Whether it is known why the answer ended, or that it did."""
        return bool(self._end.get("stopReason")) or (self._has_stopped and self.has_answer)

    @property
    def has_answer(self) -> bool:
        """Whether any block has begun."""
        return bool(self._blocks)

    @property
    def text(self) -> str:
        """The text so far, or the reasoning where there is no text yet."""
        blocks = self._blocks.values()
        texts = "".join(block.content.text("text") or block.call.text("input") for block in blocks)
        return texts or "".join(block.reasoning.text("text") for block in blocks)

    def add(self, event: ConverseEvent) -> Delta | None:
        """Add an event."""
        match event.kind:
            case "contentBlockStart":
                self._block(event).call.fields |= (
                    as_mapping(event.fields["start"]).get("toolUse") or {}
                )
            case "contentBlockDelta":
                return self._block(event).add(event.fields["delta"], by_tool=self._by_tool)
            case "messageStop" | "metadata":
                self._has_stopped |= event.kind == "messageStop"
                self._end |= event.fields
        return None

    def completion(self) -> Completion:
        """The whole answer."""
        blocks = [
            self._blocks[index].to_dict(as_text=self._by_tool) for index in sorted(self._blocks)
        ]
        return self._decode(blocks, self._end)

    def _block(self, event: ConverseEvent) -> _Block:
        index = event.fields.get("contentBlockIndex")
        if index is None:
            index = max(self._blocks, default=0)
        return self._blocks.setdefault(int(index), _Block())


class _Block:
    """One block, as far as it has come: text, a call, or reasoning."""

    def __init__(self) -> None:
        self.content = StreamedBlock({})
        self.call = StreamedBlock({})
        self.reasoning = StreamedBlock({})
        self._redacted = b""

    def add(self, delta: Mapping[str, Any], *, by_tool: bool) -> Delta | None:
        """Add a delta; the text or reasoning in it."""
        if "text" in delta:
            text = self.content.append("text", delta["text"])
            return Delta(text) if text else None
        if "toolUse" in delta:
            text = self.call.append("input", delta["toolUse"].get("input"))
            return Delta(text) if text and by_tool else None
        if "reasoningContent" in delta:
            text = self._add_reasoning(delta["reasoningContent"])
            return Delta(reasoning_content=text) if text else None
        return None

    def to_dict(self, *, as_text: bool) -> dict[str, Any]:
        """The block as in a reply that was not streamed."""
        call, reasoning = self.call.to_dict(), self.reasoning.to_dict()
        if call:
            text = self.call.text("input") or "{}"
            return {"toolUse": {**call, "input": read_input(text, as_text=as_text)}}
        if self._redacted:
            data = base64.b64encode(self._redacted).decode()
            return {"reasoningContent": {"redactedContent": data}}
        if reasoning:
            return {"reasoningContent": {"reasoningText": {"text": "", **reasoning}}}
        return self.content.to_dict()

    def _add_reasoning(self, delta: Mapping[str, Any]) -> str:
        if "redactedContent" in delta:
            self._redacted += base64.b64decode(delta["redactedContent"])
            return ""
        self.reasoning.append("signature", delta.get("signature"))
        return self.reasoning.append("text", delta.get("text"))


def _event_buffer() -> Any:
    try:
        from botocore.eventstream import EventStreamBuffer
    except ImportError as error:
        raise MissingDependencyError(
            "BEDROCK needs botocore, which is not installed: pip install 'oumi-infer[bedrock]'"
        ) from error
    return EventStreamBuffer()


def _read_event(headers: Mapping[str, Any], payload: bytes) -> ConverseEvent:
    if headers.get(":message-type") != "event":
        kind = str(headers.get(":exception-type") or headers.get(":error-code") or "an error")
        text = headers.get(":error-message") or read_error(payload)[1]
        raise BadReplyError(f"{kind}: {text}", payload, status=_ERROR_STATUS.get(kind))
    return ConverseEvent(str(headers.get(":event-type")), decode_object(payload))
