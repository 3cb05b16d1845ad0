"""How far a job on this machine is: the content of its `state.json`.

The file only saves looking: without it a job begins anew from its journal. It is written by
whoever holds the job's lock.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from oumi.backends.registry import find_engine
from oumi.backends.remote.contract import contract_for
from oumi.batch.failures import unanswered
from oumi.batch.job_folder import JobFolder
from oumi.batch.job_spec import JobSpec
from oumi.batch.window import parse_window
from oumi.core.configs import InferenceConfig, RemoteParams
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.errors import StorageError
from oumi.runner.storage.snapshot import JournalSnapshot


@dataclass(frozen=True)
class LocalState:
    """One attempt at a job. Times are in seconds since the epoch."""

    status: BatchStatus
    total: int
    created: float
    expires: float
    done: int = 0
    failed: int = 0
    started: float | None = None
    ended: float | None = None
    errors: tuple[str, ...] = ()
    starts: int = 0
    """Processes started for it since the last one that brought an answer."""
    journal_bytes: int = 0
    """How long the journal was when the first of these was started."""

    @property
    def has_ended(self) -> bool:
        """Whether nobody will work on it any more."""
        return self.status.is_terminal

    @property
    def is_over(self) -> bool:
        """Whether its time is over."""
        return time.time() >= self.expires

    def end(self, status: BatchStatus, *errors: str) -> LocalState:
        """The same, ended now."""
        return replace(self, status=status, ended=time.time(), errors=errors)

    def info(self, folder: JobFolder, provider_status: str) -> BatchInfo:
        """What a caller is told."""
        return BatchInfo(
            id=folder.id,
            status=self.status,
            total_requests=self.total,
            completed_requests=self.done,
            failed_requests=self.failed,
            created_at=_moment(self.created),
            started_at=_moment(self.started),
            completed_at=_moment(self.ended),
            expires_at=_moment(self.expires),
            errors=self.errors,
            provider_status=provider_status,
            engine=folder.intent.engine,
        )


def new_attempt(intent: JobSpec) -> LocalState:
    """An attempt that begins now. Raises ConfigError for a window that is none."""
    return _attempt(intent, time.time())


def read_state(folder: JobFolder) -> LocalState:
    """How far the job was when it was last written down; its beginning where that is lost."""
    try:
        data = folder.read_state()
        if data:
            return _parse(data)
    except (StorageError, TypeError, ValueError) as error:
        logger.warning("%s: the state is damaged; the journal tells it anew: %s", folder.id, error)
    return _attempt(folder.intent, folder.intent.created)


def write_state(folder: JobFolder, state: LocalState) -> None:
    """Write it down. To be called with the job's lock held."""
    folder.write_state(asdict(state))


def records(folder: JobFolder, state: LocalState) -> JournalSnapshot:
    """What became of the rows by now, read beside whoever works on the job."""
    intent = folder.intent
    provider = find_engine(intent.engine).provider
    return JournalSnapshot(
        folder.output.journal_path,
        state.total,
        unanswered(state.status, state.errors),
        contract_for(provider, intent.config),
    )


def window_s(config: InferenceConfig) -> float:
    """How many seconds a job may take. Raises ConfigError."""
    remote = config.remote_params or RemoteParams()
    return parse_window(remote.batch_completion_window).total_seconds()


def _attempt(intent: JobSpec, created: float) -> LocalState:
    expires = created + window_s(intent.config)
    return LocalState(BatchStatus.VALIDATING, intent.rows, created, expires)


def _parse(data: dict[str, Any]) -> LocalState:
    status, errors = BatchStatus(data["status"]), tuple(data["errors"])
    return LocalState(**{**data, "status": status, "errors": errors})


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
