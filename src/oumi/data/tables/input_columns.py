"""The columns of an input and their types."""

from __future__ import annotations

from oumi.data.records.values import to_plain
from oumi.data.source import Source
from oumi.data.tables.value_types import JSON, TEXT, ValueType, common_type, type_of


def input_columns(source: Source) -> dict[str, ValueType]:
    """The columns of a source in order. Where no format says them, all rows are looked at once."""
    if source.schema is not None:
        return dict.fromkeys(source.schema.names, JSON)  # whose own types are kept
    if source.text_columns is not None:
        return dict.fromkeys(source.text_columns, TEXT)
    found: dict[str, ValueType] = {}
    for record in source.records():
        for name, value in record.columns.items():
            kind = type_of(to_plain(value))
            found[name] = common_type([found[name], kind]) if name in found else kind
    return found
