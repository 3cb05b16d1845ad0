"""What keys have spent, in a file that outlives the server.

JSON lines, of which the last one of a name counts: what was written before a kill stays, and a line
that was cut off by it is passed over. It holds the names of keys and never a key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Self

from oumi.core.json_text import parse_json, write_json
from oumi.errors import StorageError
from oumi.runner.limits.budget import Spent
from oumi.runner.limits.reservation import Tokens
from oumi.runner.storage.atomic import atomic_file, beside, storage_errors
from oumi.runner.storage.journal_lines import whole_lines, write_at
from oumi.runner.storage.lock import holder_of, try_lock

_MOST_BYTES = 1_000_000
"""Some 5,000 requests; then the file is written anew, which takes a few milliseconds."""
Last = tuple[str, Spent]
"""A period, and what was spent in it."""

_KEPT = "What keys have spent before is as it was"


class SpendingFile:
    """The spending of keys, each with the period that it is of. One server at a time has it."""

    def __init__(self, path: Path):
        """Raises StorageError where another server has the file, or it cannot be written."""
        with storage_errors(path.parent, "cannot be made"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = path
        self._file = -1
        lock_path = beside(path, ".lock")
        lock = try_lock(lock_path, 0o600)
        if lock is None:
            raise StorageError(
                f"{path}: {holder_of(lock_path)} counts the spending of keys in it: stop it, or "
                "give this server a folder of its own by XDG_STATE_HOME"
            )
        self._lock = lock
        try:
            self._last = _read(path)
            self._rewrite()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def spent(self, name: str, period: str) -> Spent:
        """What a key has spent in a period, as far as it is the last one that is known."""
        last, spent = self._last.get(name, ("", Spent()))
        return spent if last == period else Spent()

    def save(self, name: str, period: str, spent: Spent) -> None:
        """Keep what a key has spent. Raises StorageError."""
        self._last[name] = period, spent
        line = _write_line(name, period, spent)
        with storage_errors(self._path, "cannot be written"):
            write_at(self._file, line, self._size)
        self._size += len(line)
        if self._size > _MOST_BYTES:
            self._rewrite()

    def close(self) -> None:
        """Let another server have the file. May be called twice."""
        self._close_file()
        self._lock.release()

    def _rewrite(self) -> None:
        """Begin the file anew, with the last line of each key."""
        with atomic_file(self._path, _KEPT) as file:
            file.writelines(_write_line(name, *last) for name, last in self._last.items())
        self._close_file()
        self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        self._size = os.fstat(self._file).st_size

    def _close_file(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _write_line(name: str, period: str, spent: Spent) -> bytes:
    facts = {"name": name, "period": period, "tokens": spent.tokens, "usd": spent.usd}
    return write_json({**facts, "unrecorded": spent.unrecorded}) + b"\n"


def _read(path: Path) -> dict[str, Last]:
    """The last line of each key. Raises StorageError."""
    last: dict[str, Last] = {}
    if not path.exists():
        return last
    with storage_errors(path), path.open("rb") as file:
        for _, line in whole_lines(file):
            try:
                facts = parse_json(line)
                spent = Spent(facts["tokens"], facts["usd"], Tokens(*facts["unrecorded"]))
                last[facts["name"]] = facts["period"], spent
            except (ValueError, LookupError, TypeError):
                raise StorageError(
                    f"{path}: a line is damaged: {line[:80]!r}. Correct it, or remove the file, "
                    "after which no key has spent anything"
                ) from None
    return last
