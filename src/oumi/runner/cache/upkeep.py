"""What is in a cache, and what is removed from it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from oumi.core.json_text import parse_json
from oumi.errors import StorageError
from oumi.runner.cache.file import connect, pragma

_AT_ONCE = 10_000
"""Entries that are removed in one transaction, for which a run that fills the cache waits."""

_BEYOND_ANSWER = 150
"""About how many bytes an entry takes beside its answer."""


@dataclass(frozen=True)
class ModelEntries:
    """The entries of a model."""

    engine: str
    model: str
    entries: int
    answer_bytes: int
    last_used: datetime


def entries_by_model(path: Path) -> list[ModelEntries]:
    """What is in a cache, the largest part first. Raises StorageError."""
    query = (
        "SELECT engine, model, count(*), sum(length(answer)), max(used) FROM answers "
        "GROUP BY engine, model ORDER BY 4 DESC"
    )
    with _opened(path) as connection:
        rows = connection.execute(query).fetchall()
    return [
        ModelEntries(engine, model, entries, size, datetime.fromtimestamp(used, UTC))
        for engine, model, entries, size, used in rows
    ]


def file_bytes(path: Path) -> int:
    """What a cache takes on the disk, with the files that SQLite keeps beside it."""
    beside = (path.with_name(path.name + end) for end in ("", "-wal", "-shm"))
    return sum(file.stat().st_size for file in beside if file.exists())


def prune(path: Path, older_than: timedelta | None = None, max_bytes: int | None = None) -> int:
    """Remove what was not used for so long, then what was used longest ago until the rest takes no
    more than so many bytes. Returns how many entries are gone. Raises StorageError.
    """
    removed = 0
    with _opened(path) as connection:
        if older_than is not None:
            before = time.time() - older_than.total_seconds()
            removed += _remove(connection, "SELECT rowid FROM answers WHERE used < ?", before)
        if max_bytes is not None:
            removed += _remove_beyond(connection, max_bytes)
        # One step of it frees one page, and only this method takes all steps.
        connection.executescript("PRAGMA incremental_vacuum")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return removed


def export(path: Path) -> Generator[dict[str, Any]]:
    """All entries as JSON-ready values, one that cannot be read left out. Raises StorageError."""
    query = "SELECT key, engine, model, created, used, answer FROM answers ORDER BY created, key"
    with _opened(path) as connection:
        for key, engine, model, created, used, answer in connection.execute(query):
            try:
                completion = parse_json(answer)
            except ValueError:
                continue
            yield {
                "key": key.hex(),
                "engine": engine,
                "model": model,
                "created": _time_text(created),
                "used": _time_text(used),
                "completion": completion,
            }


def _remove_beyond(connection: sqlite3.Connection, max_bytes: int) -> int:
    removed = 0
    while (excess := _live_bytes(connection) - max_bytes) > 0:
        oldest = connection.execute(
            "SELECT rowid, length(answer) FROM answers ORDER BY used LIMIT ?", (_AT_ONCE,)
        ).fetchall()
        last = 0
        while last < len(oldest) and excess > 0:
            excess -= oldest[last][1] + _BEYOND_ANSWER
            last += 1
        if last == 0:  # nothing is left but the empty tables
            return removed
        removed += _delete(connection, [rowid for rowid, _ in oldest[:last]])
    return removed


def _remove(connection: sqlite3.Connection, query: str, *values: float) -> int:
    removed = 0
    while rows := connection.execute(f"{query} LIMIT {_AT_ONCE}", values).fetchall():
        removed += _delete(connection, [rowid for (rowid,) in rows])
    return removed


def _delete(connection: sqlite3.Connection, rowids: list[int]) -> int:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("DELETE FROM answers WHERE rowid = ?", ((row,) for row in rowids))
    finally:
        connection.execute("COMMIT")
    return len(rowids)


def _live_bytes(connection: sqlite3.Connection) -> int:
    pages = pragma(connection, "page_count") - pragma(connection, "freelist_count")
    return pages * pragma(connection, "page_size")


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as connection:
        try:
            yield connection
        except sqlite3.Error as error:
            raise StorageError(f"{path}: the cache cannot be read: {error}") from error


def _time_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
