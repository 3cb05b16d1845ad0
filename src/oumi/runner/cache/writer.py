"""Fills a cache beside the run, in a thread of its own, so that no row waits for the disk."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeAlias

from oumi.core.json_text import write_json
from oumi.core.types.answer import Answer
from oumi.errors import StorageError
from oumi.runner.cache.file import connect
from oumi.runner.loop import leave_signals_to_main

_MOST_WAITING = 20_000
"""Answers that may wait to be written; where the disk is slower than the run, further ones are not
kept, so that memory does not grow."""

_MOST_AT_ONCE = 500
"""Changes of one transaction: some milliseconds, for which other writers wait."""


class Insert(NamedTuple):
    """A new answer. One that is there already stays."""

    key: bytes
    answer: Answer


class Touch(NamedTuple):
    """An answer that was used."""

    key: bytes


class Remove(NamedTuple):
    """An entry that cannot be read."""

    key: bytes


Change: TypeAlias = Insert | Touch | Remove


class CacheWriter:
    """Takes changes and writes them in their order. `give_up` is called, once, with what went wrong
    for good.
    """

    def __init__(self, path: Path, engine: str, model: str, give_up: Callable[[Exception], None]):
        self._path = path
        self._of = (engine, model)
        self._give_up = give_up
        self._changes: SimpleQueue[Change | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="oumi-cache", daemon=True)
        self._thread.start()

    def add(self, change: Change) -> None:
        """Have a change written; it is dropped where too many wait."""
        if self._changes.qsize() < _MOST_WAITING:
            self._changes.put(change)

    def close(self) -> None:
        """Wait until all changes are written."""
        self._changes.put(None)
        self._thread.join()

    def _run(self) -> None:
        leave_signals_to_main()
        try:
            with closing(connect(self._path)) as connection:
                for changes in self._taken():
                    self._write(connection, changes)
        except (StorageError, sqlite3.Error) as error:
            self._give_up(error)

    def _taken(self) -> Iterator[list[Change]]:
        """The changes, as many at once as wait."""
        is_open = True
        while is_open:
            first = self._changes.get()
            changes = [] if first is None else [first]
            is_open = first is not None
            while is_open and len(changes) < _MOST_AT_ONCE:
                try:
                    change = self._changes.get_nowait()
                except Empty:
                    break
                if change is None:
                    is_open = False
                else:
                    changes.append(change)
            if changes:
                yield changes

    def _write(self, connection: sqlite3.Connection, changes: list[Change]) -> None:
        now = int(time.time())
        connection.execute("BEGIN IMMEDIATE")
        try:
            for change in changes:
                self._apply(connection, change, now)
        finally:
            connection.execute("COMMIT")

    def _apply(self, connection: sqlite3.Connection, change: Change, now: int) -> None:
        match change:
            case Insert(key, answer):
                row = (key, *self._of, now, now, write_json(answer.to_dict()))
                connection.execute("INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)
            case Touch(key):
                connection.execute("UPDATE answers SET used = ? WHERE key = ?", (now, key))
            case Remove(key):
                connection.execute("DELETE FROM answers WHERE key = ?", (key,))
