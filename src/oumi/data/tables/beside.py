"""Columns put beside those of a data frame, whatever library it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi.data.records.arrow import require_pyarrow
from oumi.errors import MissingDependencyError

if TYPE_CHECKING:
    import pyarrow as pa


def beside(frame: Any, answers: pa.Table, whole: pa.Table, times: int = 1) -> Any:
    """The frame, each row so many `times`, with further columns. One of no known library becomes a
    table of PyArrow, whose own columns are those of `whole`.
    """
    narwhals = _narwhals()
    known = narwhals.from_native(frame, eager_only=True, pass_through=True)
    rows = None if times == 1 else [row for row in range(len(whole)) for _ in range(times)]
    if known is frame:
        return _joined(whole if rows is None else whole.take(rows), answers)
    if known.implementation.is_pandas_like():
        repeated = frame if rows is None else frame.iloc[rows]
        return _beside_pandas(repeated, answers, known.__native_namespace__())
    more = narwhals.DataFrame.from_arrow(answers, backend=known.implementation)
    repeated = known if rows is None else known[rows]
    return narwhals.concat([repeated, more], how="horizontal").to_native()


def _joined(whole: pa.Table, answers: pa.Table) -> pa.Table:
    pyarrow = require_pyarrow("a table as a result")
    schema = pyarrow.schema([*whole.schema, *answers.schema])
    return pyarrow.Table.from_arrays([*whole.columns, *answers.columns], schema=schema)


def _beside_pandas(frame: Any, answers: pa.Table, pandas: Any) -> Any:
    """The columns with the frame's index. Whole numbers and booleans are of the types that take
    nulls.
    """
    pyarrow = require_pyarrow("a data frame as a result")
    types = {pyarrow.int64(): pandas.Int64Dtype(), pyarrow.bool_(): pandas.BooleanDtype()}
    more = answers.to_pandas(types_mapper=types.get)
    more.index = frame.index
    return pandas.concat([frame, more], axis=1)


def _narwhals() -> Any:
    try:
        import narwhals
    except ImportError:
        raise MissingDependencyError(
            "infer_table: needs narwhals, which is not installed: pip install 'oumi-infer[tables]'"
        ) from None
    return narwhals
