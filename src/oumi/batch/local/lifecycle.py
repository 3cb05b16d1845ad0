"""How a local job begins, goes on after its process has ended, and ends.

    begin_attempt ──► a process works on it ──► it wrote down that the job has ended
                       ▲                 │
        resume_or_end  │                 ▼  killed, crashed, or the machine restarted
                       └──────── no process works on it ──► cancelled, expired, or failed:
                                                            end_if_over writes that down

All of it is called with the job's lock held, so no process works on the job.
"""

from __future__ import annotations

from dataclasses import replace

from oumi.batch.job_folder import JobFolder
from oumi.batch.local import process
from oumi.batch.local.job_spec import Secrets, check_secrets
from oumi.batch.local.state import (
    LocalState,
    new_attempt,
    read_snapshot,
    read_state,
    write_state,
)
from oumi.core.types.batch import BatchStatus
from oumi.runner.storage.journal_lines import read_places
from oumi.runner.storage.lock import Lock

# A process that ends without an answer is started again, since a reboot or a kill is no fault of
# the job. Three in a row are taken for a fault that comes again, such as too little memory.
_MOST_STARTS = 3


def begin_attempt(folder: JobFolder, lock: Lock, secrets: Secrets, done: int) -> LocalState:
    """Start a process for a new attempt at a job of which `done` rows are answered."""
    folder.cancel_path.unlink(missing_ok=True)
    return _start(folder, lock, replace(new_attempt(folder.spec), done=done), secrets)


def resume_or_end(folder: JobFolder, lock: Lock, secrets: Secrets) -> LocalState:
    """Start a process that goes on with the job, unless it has ended.

    Raises AccessError where it cannot go on without a key.
    """
    state = end_if_over(folder)
    return state if state.has_ended else _start(folder, lock, state, secrets)


def end_if_over(folder: JobFolder) -> LocalState:
    """How far the job is. Writes down that it has ended if it was cancelled, has expired, or its
    processes failed too often.
    """
    state = _without_successful_starts(folder, read_state(folder))
    ended = None if state.has_ended else _ended(folder, state)
    if ended is None:
        return state
    snapshot = read_snapshot(folder, ended)
    ended = replace(ended, done=len(snapshot.answered), failed=snapshot.failed)
    write_state(folder, ended)
    return ended


def _ended(folder: JobFolder, state: LocalState) -> LocalState | None:
    """The state with the reason for which the job is over; None if it can go on."""
    if folder.cancel_path.exists():
        return state.end(BatchStatus.CANCELLED)
    if state.is_expired:
        return state.end(BatchStatus.EXPIRED)
    if state.starts >= _MOST_STARTS:
        return state.end(
            BatchStatus.FAILED,
            f"its process ended {state.starts} times without an answer; the end of "
            f"{folder.log_path}:\n{process.log_tail(folder)}",
        )
    return None


def _start(folder: JobFolder, lock: Lock, state: LocalState, secrets: Secrets) -> LocalState:
    """Start a process, and count it before, so that one that dies at once is counted too."""
    check_secrets(folder.spec, secrets)
    started = replace(state, starts=state.starts + 1)
    if state.starts == 0:
        started = replace(started, journal_bytes=_journal_bytes(folder))
    write_state(folder, started)
    process.start(folder, lock, secrets)
    return started


def _without_successful_starts(folder: JobFolder, state: LocalState) -> LocalState:
    """The state without its starts if any of them has brought an answer."""
    if state.starts == 0:
        return state
    new_records = read_places(folder.output.journal_path, state.journal_bytes)
    has_new_answer = any(is_answer for _, _, is_answer in new_records)
    return replace(state, starts=0) if has_new_answer else state


def _journal_bytes(folder: JobFolder) -> int:
    path = folder.output.journal_path
    return path.stat().st_size if path.exists() else 0
