"""Server-sent events, fed with bytes that may be cut anywhere.

https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from collections.abc import Iterator

_DATA = b"data:"


class EventDecoder:
    """Bytes in, the data of whole events out. Names, ids and comments are passed over."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of each event that ends within `chunk`."""
        text = self._rest + chunk
        # A carriage return at the very end may be half of a line's end.
        keep_back = text.endswith(b"\r")
        lines = (text[:-1] if keep_back else text).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *whole, rest = lines.split(b"\n")
        self._rest = rest + (b"\r" if keep_back else b"")
        for line in whole:
            if line.startswith(_DATA):
                self._data.append(line[len(_DATA) :].removeprefix(b" "))
            elif not line and self._data:
                yield b"\n".join(self._data)
                self._data = []
