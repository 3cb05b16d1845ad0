"""The file of a cache: an SQLite database in WAL mode.

SQLite because it is in the standard library, finds an entry by its key without reading the others,
survives kills and power cuts, and lets several processes read and write at once: in WAL mode
readers do not wait for a writer (https://www.sqlite.org/wal.html).
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from platformdirs import user_cache_path

from oumi.core.digest import new_digest
from oumi.errors import StorageError

_APPLICATION = 0x6F756D69
"""`oumi` as a number: what SQLite calls the application id of a file."""

_VERSION = 1

_BUSY_S = 3.0
"""How long to wait for other writers, each of which takes some milliseconds."""

_POLL_S = 0.02

_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE answers (
    key BLOB PRIMARY KEY,
    engine TEXT NOT NULL,
    model TEXT NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    answer BLOB NOT NULL
);
CREATE INDEX answers_by_use ON answers (used);
"""
"""Times are whole seconds since the epoch, `answer` is the JSON text of a completion or of an
embedding."""


def default_path() -> Path:
    """The file in the user's cache folder."""
    return user_cache_path("oumi") / "answers.sqlite"


def connect(path: Path) -> sqlite3.Connection:
    """The cache in a file, made where there is none. Raises StorageError for a file that is none,
    or that cannot be opened.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # It may be opened in another thread than the one that then uses it.
        connection = sqlite3.connect(
            path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        raise StorageError(f"{path}: the cache cannot be opened: {error}") from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StorageError(f"{path}: the cache cannot be read: {error}") from error
    except StorageError:
        connection.close()
        raise
    return connection


def entry_key(row_key: str, repeat: int, address: str | None) -> bytes:
    """The key of an entry, by that of its row, how many equal rows came before it in its run, and
    the address that is asked: servers of two addresses may call two models the same.
    """
    digest = new_digest()
    digest.update(f"{row_key} {repeat} {address or ''}".encode())
    return digest.digest()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    application = pragma(connection, "application_id")
    if application == 0 and _is_empty(connection):
        _create(connection)
    elif application != _APPLICATION:
        raise StorageError(f"{path}: a database of another program, not a cache; name another file")
    elif pragma(connection, "user_version") > _VERSION:
        raise StorageError(f"{path}: a cache of a later version of this program")
    # The journal of the run is what keeps an answer; a power cut may cost the cache its last ones.
    connection.execute("PRAGMA synchronous = NORMAL")


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process does so at this moment."""
    # Has removed entries give their space back by `incremental_vacuum`, which needs no second copy
    # of the file; to be said before anything is in it.
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _set_wal(connection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_empty(connection):
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
    finally:
        connection.execute("COMMIT")


def _set_wal(connection: sqlite3.Connection) -> None:
    """Have the file be in WAL mode from now on. SQLite does not wait for others in this."""
    end_s = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > end_s:
                raise
        time.sleep(_POLL_S)


def _is_empty(connection: sqlite3.Connection) -> bool:
    with closing(connection.execute("SELECT count(*) FROM sqlite_master")) as found:
        return bool(found.fetchone()[0] == 0)


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """The number that SQLite says of a file."""
    with closing(connection.execute(f"PRAGMA {name}")) as found:
        value: int = found.fetchone()[0]
    return value
