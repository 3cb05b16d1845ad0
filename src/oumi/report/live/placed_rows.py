"""Rows on disk that are read one by one, wherever they stand."""

from __future__ import annotations

import os
import weakref
from abc import ABC, abstractmethod
from array import array
from pathlib import Path

from oumi.report.row import ReportRow
from oumi.runner.storage.atomic import storage_errors
from oumi.runner.storage.run_summary import RunSummary


class PlacedRows(ABC):
    """The rows of a run by their places, which count from 0 in the order in which the rows were
    found. More may be found at any time.

    One thread looks for rows, and any may read those that were found.
    """

    name: str
    """What the page calls the run."""
    is_finished: bool
    """Whether the run has written its output."""
    summary: RunSummary | None = None

    def __init__(self) -> None:
        self.replaced = array("Q")
        """Places whose rows stand at later ones, in the order in which that was found."""

    @abstractmethod
    def __len__(self) -> int:
        """How many places there are so far."""

    @abstractmethod
    def find_more(self) -> bool:
        """Look for further rows, some thousands at most; whether any were found. Raises
        StorageError, InputError.
        """

    @abstractmethod
    def row(self, place: int) -> ReportRow:
        """The row at a place. Raises StorageError."""

    @abstractmethod
    def place_of(self, row: int) -> int | None:
        """Where the row with a number stands; None for a row that was not found so far."""

    @property
    def is_current(self) -> bool:
        """Whether the file is still the one that was opened."""
        return True

    def _open(self, path: Path) -> int:
        """A file descriptor that is closed when nobody reads these rows any more."""
        with storage_errors(path):
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, file)
        return file
