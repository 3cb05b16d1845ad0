"""Where a server keeps files and batches: a file of facts each, and the content beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from oumi.core.json_text import parse_json, write_json
from oumi.core.logs import logger
from oumi.errors import StorageError
from oumi.runner.storage.atomic import atomic_file, reason_of
from oumi.server.http.errors import HttpError

_ID = re.compile(r"[a-z]+[_-][0-9a-z-]{1,80}")
_KEPT = "Nothing else has changed"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a thing that is kept. `owner` is the name of the key that made it."""

    id: str
    owner: str
    created_at: int
    """In seconds since the epoch."""


FactsT = TypeVar("FactsT", bound=Facts)


class Folder(Generic[FactsT]):
    """The things of one kind. What was made with another key is not found. Not for the event loop:
    it reads and writes files.
    """

    def __init__(self, path: Path, kind: type[FactsT], word: str):
        self._path = path
        self._kind = kind
        self._word = word

    def save(self, facts: FactsT) -> None:
        """Write the facts of a thing, new or known. Raises StorageError."""
        self.make()
        with atomic_file(self._facts_path(facts.id), _KEPT) as file:
            file.write(write_json(asdict(facts)))

    def make(self) -> None:
        """Make the folder, for its user alone. Raises StorageError."""
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"{self._path}: cannot be made: {reason_of(error)}") from error

    def find(self, id_: str, owner: str) -> FactsT:
        """A thing by its id. Raises HttpError."""
        path = self._facts_path(id_)
        found = self._read(path) if _ID.fullmatch(id_) and path.exists() else None
        if found is None or found.owner != owner:
            raise HttpError(404, f"no {self._word} {id_[:100]!r} here", param="id")
        return found

    def all(self) -> Iterator[FactsT]:
        """All things, the newest first. One whose facts are damaged is passed over, and logged."""
        found = [self._read(path) for path in self._path.glob("*.json")]
        known = [facts for facts in found if facts is not None]
        yield from sorted(known, key=lambda facts: (facts.created_at, facts.id), reverse=True)

    def content_path(self, id_: str) -> Path:
        """Where the content of a thing is."""
        return self._path / id_

    def remove(self, id_: str) -> None:
        """Remove a thing and its content."""
        for path in (self._facts_path(id_), self.content_path(id_)):
            path.unlink(missing_ok=True)

    def _facts_path(self, id_: str) -> Path:
        return self._path / f"{id_.replace(os.sep, '')}.json"

    def _read(self, path: Path) -> FactsT | None:
        try:
            values: dict[str, Any] = parse_json(path.read_bytes())
            return self._kind(**values)
        except (OSError, TypeError, ValueError) as error:
            logger.warning("%s: passed over: %s", path, error)
            return None
