"""Types of columns as Arrow and Parquet have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from oumi.data.records.arrow import require_pyarrow
from oumi.data.tables.value_types import ValueType, convert

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_schema(types: Mapping[str, ValueType]) -> pa.Schema:
    """The schema of columns. Raises MissingDependencyError."""
    pyarrow = require_pyarrow("a table of types")
    return pyarrow.schema([(name, arrow_type(kind)) for name, kind in types.items()])


def arrow_type(kind: ValueType) -> pa.DataType:
    """The type of values; of those that are JSON text, a string."""
    pyarrow = require_pyarrow("a table of types")
    if kind.kind == "list":
        return pyarrow.list_(arrow_type(kind.item) if kind.item else pyarrow.null())
    if kind.kind == "struct":
        return pyarrow.struct([(name, arrow_type(one)) for name, one in kind.fields.items()])
    simple = {
        "integer": pyarrow.int64(),
        "number": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "null": pyarrow.null(),
        "vector": pyarrow.list_(pyarrow.float32()),
    }
    return simple.get(kind.kind, pyarrow.string())


def make_table(rows: Sequence[Mapping[str, Any]], types: Mapping[str, ValueType]) -> pa.Table:
    """Rows as a table of these columns. Raises ValueError for a value that is not of its type."""
    pyarrow = require_pyarrow("a table of types")
    converted = [{name: convert(row[name], kind) for name, kind in types.items()} for row in rows]
    return pyarrow.Table.from_pylist(converted, schema=arrow_schema(types))
