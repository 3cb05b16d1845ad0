"""Lines out of bytes that are cut anywhere."""

from __future__ import annotations

from collections.abc import Iterator


class LineSplitter:
    """Bytes in, whole lines out; they end with a newline, a carriage return, or both.

    Each byte is looked at once and copied once, however small the pieces and long the lines. Of a
    line that is longer than `max_bytes`, what follows on the piece that passed it is dropped.
    """

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._after_return = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that end within `chunk`, without their ends. To be read to its end."""
        is_second_half = self._after_return and chunk.startswith(b"\n")
        if chunk:
            self._after_return = chunk.endswith(b"\r")
        for line in chunk[is_second_half:].splitlines(keepends=True):
            text = line.rstrip(b"\r\n")
            if self._max_bytes is None or self._size <= self._max_bytes:
                self._parts.append(text)
                self._size += len(text)
            if len(text) < len(line):
                yield self.last()

    def last(self) -> bytes:
        """What came after the last end of a line."""
        line = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._size = [], 0
        return line
