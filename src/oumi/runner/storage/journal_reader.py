"""A journal as it is, beside the run that may be writing it: nothing is locked or written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oumi.core.json_text import parse_json
from oumi.core.types.answer import answer_in
from oumi.core.types.completion import Usage
from oumi.runner.storage.atomic import storage_errors
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.journal_lines import read_line, whole_lines
from oumi.runner.storage.lock import Lock

_USUAL_END = 64 * 1024
"""Bytes in which the last record of most journals begins."""


class JournalReader(Journal):
    """The answers that a journal held when it was opened, for rows to claim. Nothing can be added.

    Raises StorageError for a file that is not there, OutputExistsError for one that is no journal.
    """

    def sync(self) -> None:
        """Nothing to do: nothing was written."""

    def _take_lock(self) -> Lock:
        with storage_errors(self.path, "cannot be opened"):
            return Lock(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC))

    def _start_at(self, end: int) -> int:
        return end


def _paid(answer: Mapping[str, Any]) -> Usage:
    return Usage() if answer.get("from_cache") else Usage.from_dict(answer["usage"])


def last_recorded_at(path: Path) -> float | None:
    """When the last record of a journal was written, in seconds since 1970; None where it has none,
    or one of an earlier version, which does not say. Raises StorageError.
    """
    with storage_errors(path), path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        length = _USUAL_END
        while True:
            start = max(size - length, 0)
            file.seek(start)
            lines = file.read().splitlines(keepends=True)
            for line in reversed(lines[1:] if start else lines):  # the first one may be cut off
                if read_line(line) is not None:
                    recorded_at: float | None = parse_json(line).get("recorded_at")
                    return recorded_at
            if start == 0:
                return None
            length *= 8


def recorded_usage(path: Path) -> Usage:
    """The tokens of all answers in a journal, those that were not valid too: each has a line of its
    own. Raises StorageError.
    """
    usage = Usage()
    with storage_errors(path), path.open("rb") as file:
        for _, text in whole_lines(file):
            line = read_line(text)
            if line is not None and (answer := answer_in(parse_json(text))) is not None:
                usage += _paid(answer)
    return usage
