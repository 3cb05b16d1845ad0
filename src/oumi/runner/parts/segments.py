"""A journal with two homes: a file on this machine, and segments of it in an object store.

An object cannot be added to. So what the file has gained is written as one object more every few
seconds, a segment, which nobody changes again. Each is a journal by itself.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from oumi.core.logs import logger
from oumi.errors import OumiError, UnavailableError
from oumi.runner.storage.atomic import storage_errors
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.journal_lines import HEADER, read_places

SEGMENT_S = 4.0
"""Seconds between two segments: with the second after which a run looks whether one is due, a kill
loses 5 s of answers at most, and what a write takes. 900 segments an hour cost one cent or less on
S3 (https://aws.amazon.com/s3/pricing), where a client needs one to three requests for each."""

MOST_BEHIND_S = 60.0
"""Seconds for which a run goes on asking while the store takes nothing: longer than a store or a
network is away for a restart, and few enough that what a kill could lose stays small."""

_RETRY_S = 1.0  # between two tries at the end; the clients of stores have tried several times each


class SegmentedJournal(Journal):
    """Hands what it gains to `write`, with the number of the segment, from 0. What the file holds
    already is in the store.

    The first segment is written at once, so that a store that takes nothing is found out before
    anything is asked. `sync` and `close` raise what `write` does: UnavailableError once the store
    has been behind for `most_behind_s`, other errors at once. Where records stay that are only in
    the file, `keep` has it kept, and says what to do with it.
    """

    def __init__(
        self,
        path: Path,
        write: Callable[[int, bytes], None],
        keep: Callable[[], str],
        segment_s: float = SEGMENT_S,
        most_behind_s: float = MOST_BEHIND_S,
    ):
        super().__init__(path)
        self._write_segment = write
        self._keep = keep
        self._segment_s = segment_s
        self._most_behind_s = most_behind_s
        self._sent = self._end
        self._segments = 0
        self._complete_at = time.monotonic()  # all that was recorded until then is in the store
        self._warned = False
        self._pool = ThreadPoolExecutor(1, "segments")
        self._sending: Future[None] | None = None
        try:
            self._send()
        except BaseException:
            self._let_go()
            raise

    def sync(self) -> None:
        """Sync the file, and begin to write a segment where one is due."""
        super().sync()
        if self._sending is not None:
            if not self._sending.done():
                return
            sending, self._sending = self._sending, None
            try:
                sending.result()
            except UnavailableError as error:
                self._check_not_behind(error)
                self._warn(error)
        if self._end == self._sent:
            self._complete_at = time.monotonic()
        elif time.monotonic() - self._complete_at >= self._segment_s:
            self._sending = self._pool.submit(self._send)

    def close(self) -> None:
        """Write what is left, for as long as the store may be behind, and let go of the file."""
        if self._lock.file < 0:
            return
        try:
            self._send_rest()
        except OumiError as error:
            count = sum(1 for _ in read_places(self.path, self._sent))
            kept = f"{count:,} records that are not there are kept in {self.path}: {self._keep()}"
            error.args = (f"{error}. {kept}", *error.args[1:])
            raise
        finally:
            self._let_go()

    def _let_go(self) -> None:
        self._pool.shutdown()
        try:
            super().sync()
        finally:
            self._lock.release()

    def _send(self) -> None:
        """Write all that is new as one segment."""
        started, end = time.monotonic(), self._end
        with storage_errors(self.path):
            lines = os.pread(self._lock.file, end - self._sent, self._sent)
        if lines or not self._segments:
            number = self._segments
            self._segments += 1  # also of one that fails, which may appear there all the same
            self._write_segment(number, HEADER + lines)
            self._sent += len(lines)
        self._complete_at = started
        self._warned = False

    def _send_rest(self) -> None:
        if not self._warned:  # the store had taken all that it was given
            self._complete_at = time.monotonic()
        while True:
            try:
                return self._pool.submit(self._send).result()  # after one that is on its way
            except UnavailableError as error:
                self._check_not_behind(error)
                self._warn(error)
                time.sleep(_RETRY_S)

    def _check_not_behind(self, error: UnavailableError) -> None:
        if time.monotonic() - self._complete_at > self._most_behind_s:
            raise error

    def _warn(self, error: UnavailableError) -> None:
        if not self._warned:
            logger.warning("%s. Answers are kept on this machine meanwhile", error)
        self._warned = True
