"""How far a job on this machine is: the content of its `state.json`.

The journal is what counts: a job whose state is lost begins a new attempt with what the journal
holds. Only who holds the job's lock writes the state.
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
from oumi.runner.storage.row_store import always
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
    """The size of the journal when the first of these was started."""

    @property
    def has_ended(self) -> bool:
        """Whether no process is to work on it any more."""
        return self.status.is_terminal

    @property
    def is_expired(self) -> bool:
        """Whether the time that it may take has passed."""
        return time.time() >= self.expires

    def end(self, status: BatchStatus, *errors: str) -> LocalState:
        """The state of a job that ends now."""
        return replace(self, status=status, ended=time.time(), errors=errors)

    def info(self, folder: JobFolder, provider_status: str) -> BatchInfo:
        """The state in the form of the public API."""
        return BatchInfo(
            id=folder.id,
            status=self.status,
            total_requests=self.total,
            completed_requests=self.done,
            failed_requests=self.failed,
            created_at=_datetime(self.created),
            started_at=_datetime(self.started),
            completed_at=_datetime(self.ended),
            expires_at=_datetime(self.expires),
            errors=self.errors,
            provider_status=provider_status,
            engine=folder.spec.engine,
        )


def new_attempt(spec: JobSpec) -> LocalState:
    """An attempt that begins now. Raises ConfigError for a wrong window."""
    return _attempt(spec, time.time())


def read_state(folder: JobFolder) -> LocalState:
    """The state that was last written; where it is lost, that of a job that has not begun."""
    try:
        data = folder.read_state()
        if data:
            return _parse(data)
    except (StorageError, LookupError, TypeError, ValueError) as error:
        logger.warning(
            "%s: the state is damaged, and made anew from the journal: %s", folder.id, error
        )
    return _attempt(folder.spec, folder.spec.created)


def write_state(folder: JobFolder, state: LocalState) -> None:
    """Write the state to disk. To be called with the job's lock held."""
    folder.write_state(asdict(state))


def read_snapshot(folder: JobFolder, state: LocalState) -> JournalSnapshot:
    """What is recorded of the rows by now. A process may be working on the job meanwhile."""
    spec = folder.spec
    provider = find_engine(spec.engine).provider
    return JournalSnapshot(
        folder.output.journal_path,
        state.total,
        unanswered(state.status, state.errors),
        always(contract_for(provider, spec.config)),
    )


def window_s(config: InferenceConfig) -> float:
    """How many seconds a job may take. Raises ConfigError."""
    remote = config.remote_params or RemoteParams()
    return parse_window(remote.batch_completion_window).total_seconds()


def _attempt(spec: JobSpec, created: float) -> LocalState:
    expires = created + window_s(spec.config)
    return LocalState(BatchStatus.VALIDATING, spec.rows, created, expires)


def _parse(data: dict[str, Any]) -> LocalState:
    status, errors = BatchStatus(data["status"]), tuple(data["errors"])
    return LocalState(**{**data, "status": status, "errors": errors})


def _datetime(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
