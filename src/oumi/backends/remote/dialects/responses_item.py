"""An item of a streamed answer of OpenAI's Responses API, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PARTS = {
    "text": ("content", "output_text", "text"),
    "refusal": ("content", "refusal", "refusal"),
    "reasoning": ("content", "reasoning_text", "text"),
    "summary": ("summary", "summary_text", "text"),
}
"""For each kind of delta, the list that its part is in, the part's type, and its field."""
_TYPES = {"reasoning": "reasoning", "summary": "reasoning", "arguments": "function_call"}


class StreamedItem:
    """One item, as far as it has come."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.has_begun = False
        """Whether the event came with which an item begins."""
        self._parts: dict[tuple[str, Any], list[str]] = {}

    def add(self, kind: str, index: Any, text: Any) -> bool:
        """Add to a part; whether there was anything. Raises TypeError for what is no text."""
        if not text:
            return False
        if not isinstance(text, str):
            raise TypeError(f"a delta that is no text: {text!r:.100}")
        place = (kind, index if isinstance(index, int) else 0)
        self._parts.setdefault(place, []).append(text)
        return True

    def end(self, item: Mapping[str, Any]) -> None:
        """Take over the whole item; what it leaves empty stays as it came in parts."""
        full = {name: value for name, value in item.items() if value not in (None, "", [])}
        self._parts = {
            place: texts for place, texts in self._parts.items() if _field(place[0]) not in full
        }
        self.fields |= full

    def to_dict(self) -> dict[str, Any]:
        """The item as in a reply that was not streamed."""
        kinds = [kind for kind, _ in self._parts]
        item = {"type": _TYPES.get(kinds[0], "message") if kinds else "message", **self.fields}
        for kind, index in sorted(self._parts, key=lambda place: place[1]):
            self._put(item, kind, "".join(self._parts[kind, index]))
        return item

    def _put(self, item: dict[str, Any], kind: str, text: str) -> None:
        if kind == "arguments":
            item["arguments"] = text
            return
        place, part_type, field = _PARTS[kind]
        earlier = item[place] if isinstance(item.get(place), list) else []
        item[place] = [*earlier, {"type": part_type, field: text}]


def _field(kind: str) -> str:
    return "arguments" if kind == "arguments" else _PARTS[kind][0]
