"""The check of a whole input before anything is sent."""

from __future__ import annotations

from array import array

from oumi.data.source import Source
from oumi.errors import InputError

_MAX_ERRORS_SHOWN = 10  # as many as fit on a screen


def check_rows(source: Source, *, bad_rows_fail: bool = False) -> int:
    """Read all rows once and count them.

    Raises InputError for an input without rows, for ids that stand twice, and for rows that
    cannot be read, unless those are to fail alone.
    """
    errors: list[str] = []
    ids = _IdSet()
    count = 0
    for row in source.rows():
        count += 1
        if row.error is not None and len(errors) <= _MAX_ERRORS_SHOWN:
            errors.append(str(row.error))
        elif row.conversation is not None and row.conversation.conversation_id is not None:
            ids.add(row.conversation.conversation_id)
    if count == 0 and not source.may_be_empty:
        raise InputError(f"{source.name}: no conversations in it")
    if errors and not bad_rows_fail:
        raise InputError(_list(errors))
    if ids.has_duplicates():
        raise InputError(_list(_find_duplicates(source)))
    return count


class _IdSet:
    """Hashes of ids, 8 bytes each, in 256 parts so that each part is small to sort."""

    def __init__(self) -> None:
        self._parts = [array("q") for _ in range(256)]

    def add(self, name: str) -> None:
        value = hash(name)
        self._parts[value & 255].append(value)

    def has_duplicates(self) -> bool:
        return any(len(set(part)) < len(part) for part in self._parts)


def _find_duplicates(source: Source) -> list[str]:
    first: dict[str, str] = {}
    duplicates = []
    for row in source.rows():
        name = row.conversation.conversation_id if row.conversation else None
        if name is None:
            continue
        place = source.place(row)
        if name in first:
            duplicates.append(f"{place}: conversation_id {name!r} stands already at {first[name]}")
        first.setdefault(name, place)
        if len(duplicates) > _MAX_ERRORS_SHOWN:
            break
    return duplicates


def _list(errors: list[str]) -> str:
    more = "\n… and more" if len(errors) > _MAX_ERRORS_SHOWN else ""
    return "\n".join(errors[:_MAX_ERRORS_SHOWN]) + more
