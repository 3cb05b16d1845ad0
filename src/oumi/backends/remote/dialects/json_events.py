"""The JSON objects of a stream of server-sent events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from oumi.backends.remote.dialects.reply import decode_object
from oumi.backends.remote.dialects.sse import EventDecoder
from oumi.core.json_text import read_json_leniently

_DONE = (b"[DONE]", b'"[DONE]"')
# Half a character, as an escape at the end or at the beginning of a JSON string.
_FIRST_HALF = re.compile(rb'(?<!\\)(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})"')
_SECOND_HALF = re.compile(rb'"(?=\\u[dD][c-fC-F][0-9a-fA-F]{2})')


class JsonEvents:
    """Bytes in, the objects of whole events out. Raises what `decode_object` raises."""

    def __init__(self) -> None:
        self.is_done = False
        """Whether the event came that ends a stream of OpenAI."""
        self._decoder = EventDecoder()
        self._held = b""  # an event that ends with half a character

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """The objects of the events that end within `chunk`."""
        for data in self._decoder.feed(chunk):
            text = data.strip()
            if text in _DONE:
                self.is_done = True
            elif self._held or b"\\u" in text:
                yield from self._join(text)
            elif text:
                yield decode_object(text)

    def end(self) -> Iterator[dict[str, Any]]:
        """Those that the end of the stream completes: not every server ends its last line."""
        for data in self._decoder.feed(b"\n\n"):
            text = data.strip()
            if text in _DONE:
                self.is_done = True
            elif text and not _is_torn(text):
                yield from self._join(text)
        if self._held:
            yield decode_object(self._held)

    def _join(self, text: bytes) -> Iterator[dict[str, Any]]:
        """An event that may end or begin with half a character, or follows one that does."""
        if self._held:
            held, text = _join_halves(self._held, text)
            self._held = b""
            yield decode_object(held)
        if _FIRST_HALF.search(text):
            self._held = text
        elif text:
            yield decode_object(text)


def _is_torn(text: bytes) -> bool:
    """Whether the last event is the beginning of an object, of which the rest did not come."""
    if not text.startswith(b"{"):
        return False
    try:
        read_json_leniently(text)
    except ValueError:
        return True
    return False


def _join_halves(first: bytes, second: bytes) -> tuple[bytes, bytes]:
    """Two events; a character whose halves came in both is moved into the second."""
    start, end = _FIRST_HALF.search(first), _SECOND_HALF.search(second)
    if not (start and end):
        return first, second
    half = start[1]
    joined = second[: end.end()] + half + second[end.end() :]
    return first[: start.start(1)] + first[start.end(1) :], joined
