"""A job at an API while somebody works on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from oumi.backends.remote.session import RemoteSession
from oumi.batch.api.job_state import JobState, job_info
from oumi.batch.api.providers.base import BatchApi
from oumi.batch.api.shard import Shard
from oumi.batch.api.state_file import save_state
from oumi.batch.job_folder import JobFolder
from oumi.core.types.batch import BatchInfo


@dataclass(frozen=True)
class ApiJob:
    """A job's folder and state, and how its API is reached. Only who holds the folder's lock saves
    the state.
    """

    folder: JobFolder
    state: JobState
    session: RemoteSession
    api: BatchApi

    @property
    def info(self) -> BatchInfo:
        """The job as a whole."""
        return job_info(self.folder, self.state)

    def requests_path(self, shard: Shard) -> Path:
        """Where the requests of a shard are until it has ended."""
        return self.folder.requests_path(shard.tag)

    def unclaimed_path(self, shard: Shard) -> Path:
        """Where the lines of a shard's output are that belong to no row."""
        return self.folder.path / f"{shard.tag}.unclaimed.jsonl"

    async def save(self) -> None:
        """Write the state to disk."""
        await asyncio.to_thread(save_state, self.folder, self.state)
