"""CSV and TSV: a line of names, then a row of texts a line (https://www.rfc-editor.org/rfc/rfc4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from functools import cached_property

from oumi.data.records.compression import Content
from oumi.data.records.record import Record, Records
from oumi.errors import InputError

_LONGEST_FIELD = 1 << 30
"""The csv module's own limit, 128 KB, is less than a long document has."""


class Delimited(Records):
    """The rows of a CSV or TSV file in UTF-8. All values are texts."""

    def __init__(self, content: Content, delimiter: str):
        self.name = content.name
        self._content = content
        self._delimiter = delimiter
        csv.field_size_limit(_LONGEST_FIELD)

    @cached_property
    def columns(self) -> Sequence[str]:
        """The names in the first line. Raises InputError where one is missing or there twice."""
        names = next((names for _, names in self._rows()), [])
        for at, name in enumerate(names):
            if not name:
                raise InputError(f"{self.name}:1: column {at + 1} has no name")
            if name in names[:at]:
                raise InputError(f"{self.name}:1: two columns are called {name!r}")
        return names

    def __iter__(self) -> Iterator[Record]:
        names = self.columns
        rows = self._rows()
        next(rows, None)
        for line, values in rows:
            if len(values) == len(names):
                yield Record(line, dict(zip(names, values, strict=True)))
            elif values:  # an empty line is no row
                yield Record(line, {}, f"{len(values)} values for {len(names)} columns")

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are, from the length of the first lines."""
        return self._content.estimate_lines()

    @property
    def has_texts_only(self) -> bool:
        """Always."""
        return True

    def digest(self) -> str:
        """The hash of the content."""
        return self._content.digest()

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with the number of the line where it begins."""
        reader = csv.reader(self._texts(), delimiter=self._delimiter, strict=True)
        line = 1
        try:
            for values in reader:
                yield line, values
                line = reader.line_num + 1
        except csv.Error as error:
            raise InputError(f"{self.name}:{line}: not CSV: {error}") from error

    def _texts(self) -> Iterator[str]:
        for number, line in enumerate(self._content.lines(), start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{self.name}:{number}: not UTF-8 ({error.reason}): save it as UTF-8"
                ) from None
            yield text
