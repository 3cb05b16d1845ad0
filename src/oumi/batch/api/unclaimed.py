"""Lines of a batch's output that belong to no row of the job: kept, since they may be paid for."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Self

from oumi.core.logs import logger
from oumi.errors import StorageError


class UnclaimedLines:
    """A file of such lines, made with the first of them and written anew each time."""

    def __init__(self, path: Path):
        self._path = path
        self._file: BinaryIO | None = None
        self._count = 0

    def __enter__(self) -> Self:
        self._path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is None:
            return
        self._file.close()
        logger.warning(
            "lines of the output that belong to no row of the job: %d, kept in %s",
            self._count,
            self._path,
        )

    def add(self, line: bytes) -> None:
        """Keep a line as it came. Raises StorageError."""
        try:
            if self._file is None:
                self._file = self._path.open("wb", buffering=0)
            self._file.write(line + b"\n")
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}") from error
        self._count += 1
