"""Server-sent events, fed with bytes that may be cut anywhere.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from collections.abc import Iterator

from oumi.backends.remote.http.lines import LineSplitter

_DATA = b"data:"
_ERROR = b"error:"
"""The field in which llama.cpp's server reports an error."""
_BARE = (b"{", b"[")
"""How an error begins that a server writes into a stream as it would write it anywhere else."""


class EventDecoder:
    """Bytes in, the data of whole events out. Names, ids and comments are passed over."""

    def __init__(self) -> None:
        self._lines = LineSplitter()
        self._data: list[bytes] = []
        self._is_bare = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of each event that ends within `chunk`."""
        for line in self._lines.feed(chunk):
            if line.startswith(_DATA):
                self._data.append(line[len(_DATA) :].removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data, self._is_bare = [], False
            elif line:
                self._add_bare(line)

    def _add_bare(self, line: bytes) -> None:
        """Take a line that is no field of the standard, where it belongs to an error."""
        if line.startswith(_ERROR):
            self._data.append(line[len(_ERROR) :])
        elif self._is_bare or (line.startswith(_BARE) and not self._data):
            self._is_bare = True
            self._data.append(line)
