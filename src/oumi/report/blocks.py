"""Rows as compressed text in the page: gzip in base64, which holds no `<` that could end a script.

A block holds one JSON object a line, so that the page can search it as a text before it parses a
line of it.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Mapping
from typing import Any, BinaryIO

from oumi.core.json_text import write_json

_MOST_ROWS = 500
"""A block is unpacked whole: with usual rows half a megabyte, which a browser does in 5 ms."""
_MOST_BYTES = 4 << 20
"""With long rows a block ends earlier, so that opening one never waits for hundreds of others."""
_LEVEL = 5
"""Half the time of the usual 6, for a tenth more bytes."""


def pack(text: bytes) -> bytes:
    """The text compressed, as base64. The same text always gives the same bytes."""
    return base64.b64encode(gzip.compress(text, _LEVEL, mtime=0))


def write_block(file: BinaryIO, name: str, text: bytes) -> None:
    """Write an element that holds a text; `name` is a word, its id."""
    start = f'<script type="application/gzip" id="{name}">'.encode()
    file.write(start + pack(text) + b"</script>\n")


class RowBlocks:
    """Writes the rows of a run block by block."""

    def __init__(self, file: BinaryIO, name: str):
        self.starts: list[int] = []
        """The number of the first row of each block, counted in this file."""
        self._file = file
        self._name = name
        self._lines: list[bytes] = []
        self._bytes = self._rows = 0

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        line = write_json(row)
        self._lines.append(line)
        self._bytes += len(line)
        self._rows += 1
        if len(self._lines) >= _MOST_ROWS or self._bytes >= _MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the rows that are not written yet."""
        if not self._lines:
            return
        text = b"\n".join(self._lines)
        write_block(self._file, f"{self._name}-{len(self.starts)}", text)
        self.starts.append(self._rows - len(self._lines))
        self._lines, self._bytes = [], 0
