"""The cache as a run uses it: asked before the model is, filled after the journal is."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from oumi.core.json_text import parse_json
from oumi.core.logs import logger
from oumi.core.types.answer import Answer, read_answer
from oumi.runner.cache.file import connect, entry_key
from oumi.runner.cache.writer import CacheWriter, Change, Insert, Remove, Touch

_TOUCH_AFTER_S = 24 * 3600
"""How exact it is known when an entry was last used: a hit is written down once a day at most."""


class AnswerCache:
    """Answers of earlier runs by the keys of their rows. Nothing that goes wrong with it is raised
    once it is open: it is said once, and the run goes on without.
    """

    def __init__(self, path: Path, engine: str, model: str, address: str | None):
        """Raises StorageError."""
        self._path = path
        self._address = address
        self._lock = threading.Lock()  # between the run and the writer's thread
        self._is_usable = True
        self._connection = connect(path)
        self._writer = CacheWriter(path, engine, model, self._give_up)

    def get(self, key: str, repeat: int) -> Answer | None:
        """The answer to a row, by its key and how many equal rows came before it."""
        if not self._is_usable:
            return None
        entry = entry_key(key, repeat, self._address)
        try:
            found = self._connection.execute(
                "SELECT answer, used FROM answers WHERE key = ?", (entry,)
            ).fetchone()
        except sqlite3.Error as error:
            self._give_up(error)
            return None
        return None if found is None else self._read(entry, *found)

    def put(self, key: str, repeat: int, answer: Answer) -> None:
        """Keep the answer to a row, in a moment."""
        self._change(Insert(entry_key(key, repeat, self._address), answer))

    def close(self) -> None:
        """Write what waits."""
        self._writer.close()
        self._connection.close()

    def _read(self, entry: bytes, text: bytes, used: int) -> Answer | None:
        try:
            answer = read_answer(parse_json(text))
        except (ValueError, LookupError, TypeError, AttributeError):  # damaged, or of another make
            self._change(Remove(entry))
            return None
        if time.time() - used > _TOUCH_AFTER_S:
            self._change(Touch(entry))
        return answer._replace(from_cache=True)

    def _change(self, change: Change) -> None:
        if self._is_usable:
            self._writer.add(change)

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            is_first, self._is_usable = self._is_usable, False
        if is_first:
            logger.warning("%s: the cache fails: %s. The run goes on without it", self._path, error)
