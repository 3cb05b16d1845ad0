"""Server-sent events, fed with bytes that may be cut anywhere.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from collections.abc import Iterator

from oumi.backends.remote.http.lines import LineSplitter

_DATA = b"data:"


class EventDecoder:
    """Bytes in, the data of whole events out. Names, ids and comments are passed over."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of each event that ends within `chunk`."""
        for line in self._lines.feed(chunk):
            if line.startswith(_DATA):
                self._data.append(line[len(_DATA) :].removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []
