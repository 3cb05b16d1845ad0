"""A source of rows made of columns, which a shape makes conversations of."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from oumi.core.configs.generation_params import GenerationParams
from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.data.records.record import Record, Records
from oumi.data.records.values import to_plain
from oumi.data.shapes.shape import Shape, ShapedRow
from oumi.data.source import NO_MESSAGES, Row, Source
from oumi.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

_SAMPLE_ROWS = 1000
"""Rows whose fields are the columns, where the format does not say them: read in milliseconds."""

_FIRST_ROWS = 100
"""Rows in which a known shape is looked for."""


class RecordSource(Source):
    """The rows of several files of one shape, one file after the other, or of a table in memory.

    Raises InputError for rows of no known shape, ConfigError for templates that do not fit them.
    """

    def __init__(
        self,
        files: Sequence[Records],
        config: InferenceConfig,
        *,
        paths: Sequence[Path] = (),
        in_memory: bool = False,
    ):
        self.name = files[0].name if len(files) == 1 else f"{files[0].name} and others"
        self.in_memory = self.may_be_empty = in_memory
        self.paths = paths
        self._files = files
        self._starts = [0]  # the number of each file's first row, as far as they are known
        self._at, self._records = -1, self.records()  # of the row that was asked for last
        self._record: Record
        self.columns = _columns_of(files)
        self._shape = self._find_shape(config)
        if self._shape is not None:
            self.has_settings = self._shape.has_settings
            self.has_schemas = self._shape.has_schemas
            if description := self._shape.description:
                self.recognised = f"{self.name}: read as {description}"

    @property
    def schema(self) -> pa.Schema | None:
        """The types of the columns, where all files have any."""
        return _schema_of(self._files)

    @property
    def text_columns(self) -> Sequence[str] | None:
        """The names of the columns, where all files are CSV or TSV."""
        return self.columns if all(file.has_texts_only for file in self._files) else None

    def records(self) -> Iterator[Record]:
        """The rows by their columns."""
        count = 0
        for number, file in enumerate(self._files):
            if number == len(self._starts):
                self._starts.append(count)
            for record in file:
                count += 1
                yield record

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are; None where a file tells nothing of it."""
        counts = [file.estimated_rows for file in self._files]
        return None if None in counts else sum(count or 0 for count in counts)

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows as they are asked, from number `start` on. One that cannot be is a row with an
        error.
        """
        for index, record in enumerate(islice(self.records(), start, None), start):
            try:
                shaped = self._apply(record)
            except Exception as error:  # whatever is wrong with a row, the others go on
                place = self._place(index, record.line)
                kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
                yield Row(index, None, InputError(f"{place}: {kind}{error}"), record.line)
            else:
                yield Row(index, shaped.conversation, None, record.line, shaped.generation)

    def lines(self) -> Iterator[tuple[int | None, bytes]]:
        """The conversations as JSON text; of a row that is none, its columns; else nothing."""
        for record in self.records():
            yield record.line, self._line(record)

    def line_of(self, index: int) -> bytes:
        """One conversation as JSON text. Rows that are asked for in order cost one pass."""
        return self._line(self._record_of(index))

    def generation_of(self, index: int) -> GenerationParams | None:
        """The settings of one row. Rows that are asked for in order cost one pass."""
        record = self._record_of(index)
        try:
            return self._usable_shape(record).settings(record.columns)
        except Exception:  # which is said of the row when it is asked
            return None

    def place(self, row: Row) -> str:
        """The file and the line, or the number of the row in it from 0."""
        return self._place(row.index, row.line)

    def fingerprint(self) -> str:
        """A hash of the content, and of what it is made into."""
        digest = new_digest()
        for file in self._files:
            digest.update(file.digest().encode())
        if self._shape is not None:
            digest.update(self._shape.digest().encode())
        return digest.hexdigest()

    def copy_to(self, file: BinaryIO) -> None:
        """Write the conversations as JSONL, one a row, without the settings of the rows."""
        file.writelines(line + b"\n" for _, line in self.lines())

    def _find_shape(self, config: InferenceConfig) -> Shape | None:
        """The shape of the rows; None where there are none that can be read."""
        first = islice(self.records(), _FIRST_ROWS)
        samples = [record.columns for record in first if record.problem is None]
        if not samples:
            return None
        try:
            return Shape(config, self.columns, samples)
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None

    def _record_of(self, index: int) -> Record:
        if index < self._at:
            self._at, self._records = -1, self.records()
        if index > self._at:
            self._record = next(islice(self._records, index - self._at - 1, None))
            self._at = index
        return self._record

    def _apply(self, record: Record) -> ShapedRow:
        shaped = self._usable_shape(record).apply(record.columns)
        if not shaped.conversation.messages:
            raise ValueError(NO_MESSAGES)
        return shaped

    def _usable_shape(self, record: Record) -> Shape:
        """The shape of the rows. Raises ValueError for a row that could not be read."""
        if record.problem is not None or self._shape is None:
            raise ValueError(record.problem)
        return self._shape

    def _line(self, record: Record) -> bytes:
        try:
            return self._usable_shape(record).to_json(record.columns)
        except Exception:  # which is said of the row when it is asked
            with contextlib.suppress(ValueError):
                return columns_text(record.columns)
            return b""

    def _place(self, index: int, line: int | None) -> str:
        file = bisect_right(self._starts, index) - 1
        name = self._files[file].name
        return f"{name}: row {index - self._starts[file]}" if line is None else f"{name}:{line}"


def columns_text(columns: Mapping[str, Any]) -> bytes:
    """A row as JSON text."""
    return write_json(to_plain(columns))


def _columns_of(files: Sequence[Records]) -> list[str]:
    """The columns of all files in the order in which they come up."""
    found: dict[str, None] = {}
    for file in files:
        if file.columns is not None:
            found.update(dict.fromkeys(file.columns))
            continue
        for record in islice(file, _SAMPLE_ROWS):
            found.update(dict.fromkeys(record.columns))
    return list(found)


def _schema_of(files: Sequence[Records]) -> pa.Schema | None:
    schemas = [schema for file in files if (schema := file.schema) is not None]
    if len(schemas) < len(files):
        return None
    import pyarrow as pa

    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(f"{files[0].name} and others: columns of other types: {error}") from None
