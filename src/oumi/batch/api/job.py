"""A job at an API while somebody works on it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from oumi.backends.remote.session import RemoteSession
from oumi.batch.api.job_state import JobState, job_info
from oumi.batch.api.providers.base import BatchApi
from oumi.batch.api.providers.shared import output_may_follow
from oumi.batch.api.shard import Shard, ShardState
from oumi.batch.api.state_file import save_state
from oumi.batch.job_folder import JobFolder
from oumi.core.types.batch import BatchInfo
from oumi.data.source import Row
from oumi.errors import RequestError
from oumi.runner.request import NO_KEY
from oumi.structured.contract import Contract


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

    @property
    def has_results(self) -> bool:
        """Whether a shard has ended whose results are not all here."""
        return any(shard.state == ShardState.ENDED for shard in self.state.shards)

    @property
    def awaits_output(self) -> bool:
        """Whether answers may follow of rows that have none here, although their shard ended."""
        return any(
            shard.state == ShardState.ENDED and (not shard.info or output_may_follow(shard.info))
            for shard in self.state.shards
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.info.is_terminal and not self.awaits_output

    def row_session(self, row: Row) -> RemoteSession:
        """The session of a row. Raises RequestError for settings of its own that are not taken."""
        return cast(RemoteSession, self.session.for_row(row))

    def row_key(self, row: Row) -> str:
        """The key of a row; NO_KEY where it cannot be asked."""
        if row.generation is None:
            return self.folder.spec.keys.row_key(row)
        try:
            return self.row_session(row).job_keys.row_key(row)
        except RequestError:
            return NO_KEY

    def contract_of(self, row: Row) -> Contract | None:
        """What the answer to a row has to look like; None where the row cannot be asked."""
        try:
            return self.row_session(row).contract
        except RequestError:
            return None

    def requests_path(self, shard: Shard) -> Path:
        """Where the requests of a shard are until it has ended."""
        return self.folder.requests_path(shard.tag)

    def unclaimed_path(self, shard: Shard) -> Path:
        """Where the lines of a shard's output are that belong to no row."""
        return self.folder.path / f"{shard.tag}.unclaimed.jsonl"

    async def save(self) -> None:
        """Write the state to disk."""
        await asyncio.to_thread(save_state, self.folder, self.state)
