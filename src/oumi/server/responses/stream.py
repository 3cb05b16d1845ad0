"""Responses as a stream of events. Each event says of which item it is, so that items may grow side
by side.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from typing import Any

from oumi.core.json_text import write_json
from oumi.core.types.completion import Completion, Delta, ToolCallDelta, Usage
from oumi.core.types.conversation import Message, Role
from oumi.server.http.ids import new_id
from oumi.server.query import Query
from oumi.server.responses.reply import (
    call_item,
    ended,
    new_response,
    text_item,
    text_part,
    thought_item,
)

_THOUGHT, _TEXT = "thought", "text"
_PREFIXES = {_THOUGHT: "rs_", _TEXT: "msg_"}


class _Item:
    """An item that grows."""

    def __init__(self, kind: str | int, place: int, call: ToolCallDelta | None):
        self.kind = kind
        self.call_id, self.name = (call.id, call.name) if call else ("", "")
        self.text = ""
        id_ = new_id(_PREFIXES.get(str(kind), "fc_"))
        self.place = {"item_id": id_, "output_index": place}
        self.index = {} if call else {"content_index": 0}

    def encode(self, logprobs: Any = None) -> dict[str, Any]:
        """The item as far as it has come."""
        own = self.place["item_id"]
        if self.kind == _THOUGHT:
            return thought_item(str(own), self.text)
        if self.kind == _TEXT:
            return text_item(str(own), self.text, logprobs)
        return call_item(str(own), self.call_id, self.name, self.text)


class ResponseStream:
    """Writes the events of one reply."""

    def __init__(self, query: Query, model: str):
        self._response = new_response(query, model)
        self._items: dict[str | int, _Item] = {}
        self._completion = Completion(Message(role=Role.ASSISTANT, content=""))
        self._number = 0

    def start(self) -> bytes:
        """The response, of which nothing has come yet."""
        return self._event("response.created", response=self._response) + self._event(
            "response.in_progress", response=self._response
        )

    def add(self, sample: int, delta: Delta) -> bytes:
        """The events of a part. There is one answer alone in this API."""
        events = b""
        if delta.reasoning_content:
            events += self._add(_THOUGHT, delta.reasoning_content)
        if delta.content:
            events += self._add(_TEXT, delta.content)
        for call in delta.tool_calls:
            events += self._add(call.index, call.arguments, call)
        self._completion = delta.completion or self._completion
        return events

    def end(self, usage: Usage) -> bytes:
        """The ends of all items, and the whole response."""
        events = b"" if self._items else self._add(_TEXT, "")
        for item in self._items.values():
            events += self._close(item)
        output = [self._encode(item) for item in self._items.values()]
        whole = ended(self._response, self._completion, output, usage)
        return events + self._event(f"response.{whole['status']}", response=whole)

    def _add(self, kind: str | int, text: str, call: ToolCallDelta | None = None) -> bytes:
        item, events = self._items.get(kind), b""
        if item is None:
            item = self._items[kind] = _Item(kind, len(self._items), call)
            events = self._begin(item)
        item.text += text
        if not text:
            return events
        more: dict[str, Any] = {"logprobs": []} if kind == _TEXT else {}
        return events + self._event(
            f"{_name(kind)}.delta", **item.place, **item.index, delta=text, **more
        )

    def _begin(self, item: _Item) -> bytes:
        place = item.place["output_index"]
        added = {**item.encode(), "status": "in_progress"}
        if "content" in added:
            added["content"] = []
        events = self._event("response.output_item.added", output_index=place, item=added)
        if item.kind != _TEXT:
            return events
        part = text_part("")
        return events + self._event(
            "response.content_part.added", **item.place, **item.index, part=part
        )

    def _close(self, item: _Item) -> bytes:
        place, encoded = item.place["output_index"], self._encode(item)
        events = self._event(
            f"{_name(item.kind)}.done", **item.place, **item.index, **_done(item, encoded)
        )
        if item.kind == _TEXT:
            [part] = encoded["content"]
            events += self._event(
                "response.content_part.done", **item.place, **item.index, part=part
            )
        return events + self._event("response.output_item.done", output_index=place, item=encoded)

    def _encode(self, item: _Item) -> dict[str, Any]:
        return item.encode(self._completion.logprobs)

    def _event(self, kind: str, **fields: Any) -> bytes:
        value = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (kind.encode(), write_json(value))


def _name(kind: str | int) -> str:
    names = {_THOUGHT: "response.reasoning_text", _TEXT: "response.output_text"}
    return names.get(str(kind), "response.function_call_arguments")


def _done(item: _Item, encoded: dict[str, Any]) -> dict[str, Any]:
    if item.kind == _THOUGHT:
        return {"text": item.text}
    if item.kind == _TEXT:
        return {"text": item.text, "logprobs": encoded["content"][0]["logprobs"]}
    return {"arguments": item.text, "name": item.name}
