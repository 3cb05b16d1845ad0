"""A table as a Parquet file, written one row group after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from oumi.data.records.arrow import ArrowRow, require_pyarrow
from oumi.data.tables.arrow_types import arrow_schema
from oumi.data.tables.value_types import ValueType, convert
from oumi.errors import InputError

_GROUP_ROWS = 65_536
"""Rows of a row group. Readers skip groups and share them out among threads; tens of thousands of
rows suit them (https://duckdb.org/docs/stable/guides/performance/file_formats)."""

_GROUP_BYTES = 1 << 24
"""16 MB of long texts end a group before, so that little memory is needed."""

_PACKED_ROWS, _PACKED_BYTES = 2048, 1 << 22
"""Rows that are held as objects, which take several times the memory that they do in a table."""


class ParquetTable:
    """Writes rows, of which no more than one row group is in memory.

    `schema` are the types of the input's columns where it has any; its values pass unchanged then.
    """

    def __init__(
        self,
        file: BinaryIO,
        inputs: Mapping[str, ValueType],
        answers: Mapping[str, ValueType],
        schema: Any = None,
    ):
        self._pa = require_pyarrow("a Parquet file as output")
        import pyarrow.parquet as pq

        self._inputs, self._answers = inputs, answers
        self._input_schema = schema if schema is not None else arrow_schema(inputs)
        self._answer_schema = arrow_schema(answers)
        fields = [*self._input_schema, *self._answer_schema]
        self._writer = pq.ParquetWriter(
            self._pa.PythonFile(file, mode="w"), self._pa.schema(fields), compression="zstd"
        )
        self._has_types = schema is not None
        self._rows: list[Any] = []
        self._values: list[dict[str, Any]] = []
        self._bytes = 0.0  # of these
        self._packed: list[Any] = []  # tables of the rows before, in the same row group

    def add(self, columns: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Write a row. Raises ValueError where the values of the answer have no place."""
        answer = {name: convert(values[name], kind) for name, kind in self._answers.items()}
        row: Any = columns
        if not self._has_types:
            row = {name: convert(columns.get(name), kind) for name, kind in self._inputs.items()}
        self._rows.append(row)
        self._values.append(answer)
        self._bytes += _size(row) + _size(answer)
        if len(self._rows) >= _PACKED_ROWS or self._bytes >= _PACKED_BYTES:
            self._pack()

    def finish(self) -> None:
        """Write what is left, and the end of the file."""
        self._pack()
        self._write_group()
        self._writer.close()

    def _pack(self) -> None:
        """Have rows take as little memory as they do in a table, and end a row group where it is
        large enough.
        """
        if not self._rows:
            return
        columns = [*self._input_table().columns, *self._answer_table().columns]
        self._packed.append(self._pa.Table.from_arrays(columns, schema=self._writer.schema))
        self._rows, self._values, self._bytes = [], [], 0.0
        rows = sum(table.num_rows for table in self._packed)
        if rows >= _GROUP_ROWS or sum(table.nbytes for table in self._packed) >= _GROUP_BYTES:
            self._write_group()

    def _input_table(self) -> Any:
        if not self._has_types:
            return self._pa.Table.from_pylist(self._rows, schema=self._input_schema)
        tables = [self._pa.Table.from_batches([batch]) for batch in _runs(self._rows)]
        whole = self._pa.concat_tables(tables, promote_options="permissive")
        return _with_schema(whole, self._input_schema)

    def _answer_table(self) -> Any:
        return self._pa.Table.from_pylist(self._values, schema=self._answer_schema)

    def _write_group(self) -> None:
        if self._packed:
            group = self._pa.concat_tables(self._packed)
            self._writer.write_table(group, row_group_size=group.num_rows)
        self._packed = []


def check_schema(schema: Any, name: str) -> None:
    """Raise InputError for types that Parquet does not have, MissingDependencyError."""
    pyarrow = require_pyarrow("a Parquet file as output")
    import pyarrow.parquet as pq

    if schema is None:
        return
    try:
        pq.ParquetWriter(pyarrow.BufferOutputStream(), schema).close()
    except pyarrow.ArrowException as error:
        raise InputError(f"{name}: cannot be written as Parquet: {error}") from None


def _runs(rows: Sequence[ArrowRow]) -> Iterator[Any]:
    """The parts of batches that the rows are, in which a row may stand several times."""
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at].batch is not rows[start].batch:
            yield _part([row.index for row in rows[start:at]], rows[start].batch)
            start = at


def _part(indices: list[int], batch: Any) -> Any:
    if indices[-1] - indices[0] == len(indices) - 1:
        return batch.slice(indices[0], len(indices))
    return batch.take(indices)


def _with_schema(table: Any, schema: Any) -> Any:
    """The table with all columns of a schema, in its order and its types."""
    import pyarrow as pa

    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _size(row: Any) -> float:
    """About how many bytes a row takes."""
    if isinstance(row, ArrowRow):
        return float(row.batch.nbytes / row.batch.num_rows)
    return float(sum(map(_value_size, row.values())))


def _value_size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return 16 * len(value) if isinstance(value, list) else 16
