"""What becomes of a local job on which nobody works: it goes on, or it has ended, and why.

Everything here is called with the job's lock held.
"""

from __future__ import annotations

from dataclasses import replace

from oumi.batch.job_folder import JobFolder, Lock
from oumi.batch.local import process
from oumi.batch.local.job_spec import Secrets, check_secrets
from oumi.batch.local.state import (
    LocalState,
    new_attempt,
    read_state,
    records,
    write_state,
)
from oumi.core.types.batch import BatchStatus
from oumi.runner.storage.journal import read_places

_MOST_STARTS = 3


def begin(folder: JobFolder, lock: Lock, secrets: Secrets, done: int) -> LocalState:
    """A new attempt at a job of which `done` rows are answered."""
    folder.cancel_path.unlink(missing_ok=True)
    return _start(folder, lock, replace(new_attempt(folder.intent), done=done), secrets)


def settle(folder: JobFolder, lock: Lock, secrets: Secrets | None) -> LocalState:
    """End the job where it is at its end; otherwise go on with it, or, without secrets, do not.

    Raises AccessError where it cannot go on without a key.
    """
    state = _forget_starts(folder, read_state(folder))
    if state.has_ended:
        return state
    ended = _end(folder, state)
    if ended is not None:
        found = records(folder, ended)
        ended = replace(ended, done=len(found.answered), failed=found.failed)
        write_state(folder, ended)
        return ended
    return state if secrets is None else _start(folder, lock, state, secrets)


def _end(folder: JobFolder, state: LocalState) -> LocalState | None:
    """How the job ended, if it did."""
    if folder.cancel_path.exists():
        return state.end(BatchStatus.CANCELLED)
    if state.is_over:
        return state.end(BatchStatus.EXPIRED)
    if state.starts >= _MOST_STARTS:
        return state.end(
            BatchStatus.FAILED,
            f"its process ended {state.starts} times without an answer; the last words of "
            f"{folder.log_path}:\n{process.last_words(folder)}",
        )
    return None


def _start(folder: JobFolder, lock: Lock, state: LocalState, secrets: Secrets) -> LocalState:
    """Start a process, counted before: one that dies at once is not started for ever."""
    check_secrets(folder.intent, secrets)
    started = replace(state, starts=state.starts + 1)
    if state.starts == 0:
        started = replace(started, journal_bytes=_journal_bytes(folder))
    write_state(folder, started)
    process.start(folder, lock, secrets)
    return started


def _forget_starts(folder: JobFolder, state: LocalState) -> LocalState:
    """With no starts in it if the journal has grown by an answer since the first of them."""
    since = read_places(folder.output.journal_path, state.journal_bytes)
    has_got_on = state.starts > 0 and any(is_answer for _, _, is_answer in since)
    return replace(state, starts=0) if has_got_on else state


def _journal_bytes(folder: JobFolder) -> int:
    path = folder.output.journal_path
    return path.stat().st_size if path.exists() else 0
