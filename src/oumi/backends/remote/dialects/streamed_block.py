"""A block of a streamed answer, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class StreamedBlock:
    """The fields of a block, and texts that come in parts and are joined once, at the end."""

    def __init__(self, fields: Mapping[str, Any]):
        self.fields = dict(fields)
        self._parts: dict[str, list[str]] = {}

    def append(self, name: str, text: Any) -> str:
        """Add a part to the text of a field; the part. Raises TypeError for what is no text."""
        if text is None:
            return ""
        if not isinstance(text, str):
            raise TypeError(f"{name} is no text: {text!r:.100}")
        self._parts.setdefault(name, []).append(text)
        return text

    def text(self, name: str) -> str:
        """The text of a field so far."""
        first = self.fields.get(name)
        return (first if isinstance(first, str) else "") + "".join(self._parts.get(name, ()))

    def to_dict(self) -> dict[str, Any]:
        """The block as in a reply that was not streamed."""
        return self.fields | {name: self.text(name) for name in self._parts}
