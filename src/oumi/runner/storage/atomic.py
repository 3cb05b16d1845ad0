"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from oumi.errors import StorageError


def beside(path: Path, ending: str) -> Path:
    """The file's neighbour, named like it with an ending."""
    return path.with_name(path.name + ending)


@contextlib.contextmanager
def atomic_file(path: Path, kept: str) -> Iterator[BinaryIO]:
    """A file that takes its place only when it is written whole and synced.

    Raises StorageError, in which `kept` says what is safe.
    """
    neighbour = beside(path, ".partial")
    try:
        with neighbour.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        neighbour.unlink(missing_ok=True)
        raise StorageError(
            f"{path}: cannot be written: {error.strerror}. {kept}: make room and run again."
        ) from error


def _sync_folder(path: Path) -> None:
    """Bring the new name to the disk itself."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
