"""JSONL: an object a line, whose fields are the columns."""

from __future__ import annotations

from collections.abc import Iterator

from oumi.data.records.compression import Content
from oumi.data.records.record import Record, Records, parse_record

_BOM = b"\xef\xbb\xbf"


class JsonLines(Records):
    """The objects of a JSONL file. Empty lines are passed over."""

    def __init__(self, content: Content):
        self.name = content.name
        self._content = content

    def __iter__(self) -> Iterator[Record]:
        for number, line in enumerate(self._content.lines(), start=1):
            text = line.removeprefix(_BOM) if number == 1 else line
            if not text.isspace():
                yield parse_record(number, text)

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are, from the length of the first lines."""
        return self._content.estimate_lines()

    @property
    def is_packed(self) -> bool:
        """Whether the file is compressed."""
        return self._content.is_packed

    def first_line(self) -> bytes | None:
        """The first line that holds a row."""
        lines = (line.removeprefix(_BOM) for line in self._content.lines())
        return next((line for line in lines if not line.isspace()), None)

    def digest(self) -> str:
        """The hash of the content."""
        return self._content.digest()
