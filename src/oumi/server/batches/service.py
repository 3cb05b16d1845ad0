"""Batches over the durable jobs of the engines: each outlives the server, and is paid for once."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo
from oumi.errors import OumiError
from oumi.server.batches.combined import combined
from oumi.server.batches.endpoint import BatchEndpoint, ResultLines
from oumi.server.batches.folder import Folder
from oumi.server.batches.output import write_files
from oumi.server.batches.records import BatchRecord, FileRecord
from oumi.server.batches.requests import Group, sort_input
from oumi.server.http.errors import HttpError, wrong_field
from oumi.server.state_folder import state_folder

if TYPE_CHECKING:
    from oumi.server.models import Model, ModelTable

Shown = tuple[BatchRecord, BatchInfo]


class BatchService:
    """The files and the batches of a server."""

    def __init__(self, models: ModelTable, endpoints: Mapping[str, BatchEndpoint]):
        self.files = Folder(state_folder() / "files", FileRecord, "file")
        self._records = Folder(state_folder() / "batches", BatchRecord, "batch")
        self._models = models
        self._endpoints = endpoints
        self._finalizing: dict[str, asyncio.Lock] = {}

    async def create(
        self, file_id: str, owner: str, endpoint: str, window: str, metadata: dict[str, str]
    ) -> Shown:
        """Begin a batch. Raises HttpError for a file with a line that is wrong, or that the
        engine's batches do not take.
        """
        if endpoint not in self._endpoints:
            raise wrong_field("endpoint", f"expected {' or '.join(self._endpoints)}")
        batch_id = f"batch_{uuid.uuid4().hex}"
        model, groups = await asyncio.to_thread(self._sort, file_id, owner, batch_id, endpoint)
        submit = self._endpoints[endpoint].submit
        job_ids = [await submit(model, one.query, one.path, window) for one in groups]
        record = BatchRecord(
            id=batch_id,
            owner=owner,
            created_at=int(time.time()),
            job_ids=job_ids,
            model=model.name,
            endpoint=endpoint,
            input_file_id=file_id,
            completion_window=window,
            metadata=metadata,
        )
        await asyncio.to_thread(self._records.save, record)
        return record, await self._info(record)

    async def get(self, batch_id: str, owner: str) -> Shown:
        """A batch, with its files once it has ended. Raises HttpError."""
        record = await asyncio.to_thread(self._records.find, batch_id, owner)
        return await self._look(record)

    async def list(self, owner: str) -> list[BatchRecord]:
        """All batches of an owner, the newest first."""
        records = await asyncio.to_thread(lambda: list(self._records.all()))
        return [record for record in records if record.owner == owner]

    async def cancel(self, batch_id: str, owner: str) -> Shown:
        """Stop a batch. What is answered by then is in its files. Raises HttpError."""
        record = await asyncio.to_thread(self._records.find, batch_id, owner)
        model = self._models.find(record.model)
        for job_id in record.job_ids:
            await model.engine.acancel_batch(job_id, model.job_config)
        return await self._look(record)

    async def resume(self) -> None:
        """Resume the jobs whose processes have ended, as with the machine."""
        for record in await asyncio.to_thread(lambda: list(self._records.all())):
            if record.has_ended:
                continue
            try:
                await self._look(record)
            except (HttpError, OumiError) as error:
                logger.warning("%s cannot be resumed: %s", record.id, error)

    def _sort(
        self, file_id: str, owner: str, batch_id: str, endpoint: str
    ) -> tuple[Model, Sequence[Group]]:
        file = self.files.find(file_id, owner)
        self._records.make()
        place = self._records.content_path(batch_id)
        path = self.files.content_path(file.id)
        return sort_input(path, place, self._models, endpoint, self._endpoints[endpoint])

    async def _look(self, record: BatchRecord) -> Shown:
        info = await self._info(record)
        if info.is_terminal and not record.has_ended:
            record = await self._finalize(record)
        return record, info

    async def _info(self, record: BatchRecord) -> BatchInfo:
        model = self._models.find(record.model)
        looks = (model.engine.aget_batch_status(one, model.job_config) for one in record.job_ids)
        return combined(await asyncio.gather(*looks))

    async def _finalize(self, record: BatchRecord) -> BatchRecord:
        """Write the files of a batch that has ended, once."""
        async with self._finalizing.setdefault(record.id, asyncio.Lock()):
            record = await asyncio.to_thread(self._records.find, record.id, record.owner)
            if record.has_ended:
                return record
            results = [await self._results(record, number) for number in range(len(record.job_ids))]
            record = await asyncio.to_thread(write_files, record, results, self.files)
            await asyncio.to_thread(self._records.save, record)
            return record

    async def _results(self, record: BatchRecord, number: int) -> ResultLines:
        model, path = self._models.find(record.model), self._path(record, number)
        return await self._endpoints[record.endpoint].results(model, record.job_ids[number], path)

    def _path(self, record: BatchRecord, number: int) -> Path:
        return self._records.content_path(f"{record.id}.{number}")
