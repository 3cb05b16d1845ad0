"""A small file that says how far a run is, for programs that look at it from outside."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

from oumi.core.json_text import parse_json, write_json
from oumi.core.logs import logger
from oumi.runner.events import Event, RunEnded, RunStarted
from oumi.runner.stats import RunStats
from oumi.runner.storage.folders import make_folder

_PERIOD_S = 1.0  # whoever looks need not look more often
_FIELDS = {"total", "completed", "failed", "updated_at"}


class ProgressFile:
    """`{"total": 10, "completed": 4, "failed": 0, "updated_at": "2026-01-31T12:00:00+00:00"}`,
    replaced as a whole about once a second. A run never fails because of it: what is wrong with
    the file is logged once.
    """

    def __init__(self, path: str):
        self._path = Path(path)
        self._written_s = float("-inf")
        self._is_usable = self._is_ours()

    def update(self, stats: RunStats, event: Event) -> None:
        """Write how far the run is, if it is time, or at its beginning and its end."""
        is_due = time.monotonic() - self._written_s >= _PERIOD_S
        if self._is_usable and (is_due or isinstance(event, RunStarted | RunEnded)):
            self._write(stats)

    def _write(self, stats: RunStats) -> None:
        self._written_s = time.monotonic()
        text = write_json(
            {
                "total": stats.total,
                "completed": stats.finished,
                "failed": stats.failed,
                "updated_at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )
        unfinished = self._path.with_name(f"{self._path.name}.{os.getpid()}.oumi-partial")
        try:
            make_folder(self._path.parent)
            unfinished.write_bytes(text + b"\n")
            unfinished.replace(self._path)
        except OSError as error:
            self._give_up(error.strerror or str(error))

    def _is_ours(self) -> bool:
        """Whether nothing but an earlier state of such a file would be replaced."""
        try:
            if not self._path.exists():
                return True
            if self._path.is_file() and set(parse_json(self._path.read_bytes())) == _FIELDS:
                return True
        except (OSError, ValueError, TypeError):
            pass
        self._give_up("there is another file in its place")
        return False

    def _give_up(self, reason: str) -> None:
        self._is_usable = False
        logger.warning("progress_path %s: not written: %s", self._path, reason)
