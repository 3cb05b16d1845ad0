"""Streamed replies of OpenAI's Responses API, put together to whole ones.

The last event carries the whole response. Not every server puts the items into it, so they are put
together as well, each under the place in the output that its events name.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from oumi.backends.openai_reply import as_mapping
from oumi.backends.remote.dialects.responses_item import StreamedItem
from oumi.backends.remote.dialects.responses_output import read_items, text_of_items
from oumi.backends.remote.errors import error_in_reply, to_text
from oumi.core.types.completion import Completion, Delta

_ENDS = {"response.completed": "completed", "response.incomplete": "incomplete"}
_DELTAS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.function_call_arguments.delta": "arguments",
    "response.reasoning_text.delta": "reasoning",
    "response.reasoning_summary_text.delta": "summary",
}
_FAILURES = ("error", "response.failed", "response.cancelled", "response.error")


class ResponseAssembler:
    """Puts a response together from events. `decode` makes a completion of it."""

    def __init__(self, decode: Callable[[Mapping[str, Any]], Completion]):
        self._decode = decode
        self._items: list[StreamedItem] = []
        self._places: dict[Any, StreamedItem] = {}
        self._response: dict[str, Any] = {}
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._thought: Any = None  # the part of the reasoning that came last
        self.is_complete = False
        """Whether the response has ended."""

    @property
    def has_answer(self) -> bool:
        """Whether any item has begun."""
        return bool(self._items)

    @property
    def text(self) -> str:
        """The text so far, or the reasoning where there is no text yet."""
        return "".join(self._texts or self._thoughts)

    def add(self, event: Mapping[str, Any]) -> Delta | None:
        """Add an event. Raises what one means that reports an error."""
        kind = event.get("type")
        if not isinstance(kind, str):
            kind = ""
        if kind in _DELTAS:
            return self._add_delta(event, _DELTAS[kind])
        if kind in _ENDS:
            return self._end(event, _ENDS[kind])
        match kind:
            case "response.output_item.added":
                self._begin(event).fields |= as_mapping(event.get("item"))
            case "response.output_item.done":
                self._find(event).end(as_mapping(event.get("item")))
        _check_is_no_error(event, kind)
        return None

    def completion(self) -> Completion:
        """The whole answer."""
        return self._decode({**self._response, "output": self._output()})

    def _add_delta(self, event: Mapping[str, Any], kind: str) -> Delta | None:
        item, text = self._find(event), event.get("delta")
        index = event.get("summary_index" if kind == "summary" else "content_index")
        if not item.add(kind, index, text):
            return None
        match kind:
            case "text" | "refusal":
                return self._show(str(text))
            case "reasoning" | "summary":
                return self._show_thought((item, kind, index), str(text))
        return None

    def _show(self, text: str) -> Delta:
        self._texts.append(text)
        return Delta(text)

    def _show_thought(self, part: Any, text: str) -> Delta:
        """Reasoning as in a whole answer, where a paragraph stands between its parts."""
        begins = self._thoughts and part != self._thought
        self._thought = part
        self._thoughts.append(f"\n\n{text}" if begins else text)
        return Delta(reasoning_content=self._thoughts[-1])

    def _end(self, event: Mapping[str, Any], status: str) -> Delta | None:
        """Take the whole response; the text of it that no delta had."""
        self._response = {"status": status, **as_mapping(event.get("response"))}
        self.is_complete = True
        whole, shown = text_of_items(self._output()), "".join(self._texts)
        left = whole.removeprefix(shown) if whole.startswith(shown) else ""
        return self._show(left) if left else None

    def _output(self) -> list[dict[str, Any]]:
        return read_items(self._response.get("output")) or [item.to_dict() for item in self._items]

    def _begin(self, event: Mapping[str, Any]) -> StreamedItem:
        """A new item, unless its deltas came first."""
        place = _place(event)
        item = self._places.get(place)
        if item is None or item.has_begun:
            item = self._places[place] = StreamedItem()
            self._items.append(item)
        item.has_begun = True
        return item

    def _find(self, event: Mapping[str, Any]) -> StreamedItem:
        """The item of an event. One whose start is missing begins with it."""
        item = self._places.get(_place(event))
        if item is None:
            item = self._places[_place(event)] = StreamedItem()
            self._items.append(item)
        return item


def _place(event: Mapping[str, Any]) -> Any:
    """Where an item stands. Its id is less reliable: some servers make up one for each event."""
    index = event.get("output_index")
    if isinstance(index, int):
        return index
    own = as_mapping(event.get("item")).get("id")
    return str(event.get("item_id") or own)


def _check_is_no_error(event: Mapping[str, Any], kind: str) -> None:
    """Raise the error of an event that reports one, in any of its forms."""
    response = as_mapping(event.get("response"))
    if kind in _FAILURES:
        raise error_in_reply(to_text(response if response.get("error") else event))
    if not kind and (event.get("message") or event.get("detail")):
        raise error_in_reply(to_text(event))
