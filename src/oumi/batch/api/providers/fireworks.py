"""Fireworks' batch inference jobs, which read one dataset and write another.

https://docs.fireworks.ai/guides/batch-inference
https://docs.fireworks.ai/api-reference/create-batch-inference-job
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from oumi.backends.remote.api_client import ApiClient
from oumi.batch.api.providers.base import (
    ApiBatch,
    BatchRequest,
    BatchResult,
)
from oumi.batch.api.providers.facts import read_field, read_object, read_objects
from oumi.batch.api.providers.fireworks_replies import (
    TITLE,
    id_of,
    output_of,
    read_deleted,
    read_job,
    read_outcome,
    read_request,
)
from oumi.batch.api.providers.result_lines import read_results
from oumi.batch.api.providers.shared import (
    batch_must_exist,
    line_without_model,
    rate_limit_means_queue_full,
)
from oumi.batch.window import check_window
from oumi.core.types.batch import BatchStatus
from oumi.errors import ConfigError, ModelNotFoundError, RequestError, UnavailableError
from oumi.runner.limits.retry import retrying

_ACCOUNT = "FIREWORKS_ACCOUNT_ID"
_WINDOW = timedelta(hours=24)
_PAGE = 200


class FireworksBatches:
    """A shard's tag is the id of its dataset and of its job, so a job cannot be started twice."""

    def __init__(self, client: ApiClient, engine: str):
        base = client.session.address.bases[0]
        self._client = client.at(base.replace("/inference/", "/"))
        self._engine = engine
        self._account = os.environ.get(_ACCOUNT, "")

    async def is_offered(self) -> bool:
        """Always."""
        return True

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request as a line of the dataset."""
        return line_without_model(custom_id, body)

    async def upload(self, file: Path, tag: str) -> str:
        """Make a dataset of the file."""
        datasets, name = f"{await self._root()}/datasets", id_of(tag)
        requests = await asyncio.to_thread(_count_lines, file)
        policy = self._client.session.retry_policy
        await retrying(lambda: self._make_dataset(datasets, name, requests), policy)
        try:
            await self._client.upload(f"{datasets}/{name}:upload", {}, file, f"{name}.jsonl")
        except RequestError:
            dataset = await self._client.get(f"{datasets}/{name}")
            if (
                read_object(dataset).get("state") != "READY"
            ):  # else the reply to an earlier try was lost
                raise
        return name

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a job. Raises QueueFullError, and ConfigError for any window but 24h."""
        check_window(self._engine, window, _WINDOW)
        root = await self._root()
        order = {
            "displayName": tag,
            "model": self._client.session.config.model.model_name,
            "inputDatasetId": f"{root[1:]}/datasets/{upload}",
            "outputDatasetId": f"{root[1:]}/datasets/{output_of(upload)}",
        }
        jobs = f"{root}/batchInferenceJobs?batchInferenceJobId={upload}"
        with rate_limit_means_queue_full():
            return read_job(await self._client.post(jobs, order), self._engine)

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """By its id, which is the tag."""
        try:
            return read_job(await self._client.get(await self._job(id_of(tag))), self._engine)
        except ModelNotFoundError:
            return None

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a job is. One of ours without a job, but with a dataset, was cancelled."""
        with batch_must_exist(self._engine, batch_id):
            try:
                return read_job(await self._client.get(await self._job(batch_id)), self._engine)
            except ModelNotFoundError:
                path = f"{await self._root()}/datasets/{quote(batch_id)}"
                dataset = await self._client.get(path)
                if read_object(dataset).get("displayName") != TITLE:
                    raise
                return read_deleted(dataset, self._engine)

    async def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The lines of the files in the dataset that the job wrote: answers, and errors."""
        if not batch.info.is_terminal:
            return
        urls = await self._files(str(batch.raw.get("outputDatasetId") or ""))
        files = (self._client.lines(url, signed=True) for url in urls)
        outcome = partial(read_outcome, engine=self._engine)
        async with aclosing(read_results(batch, files, outcome)) as results:
            async for result in results:
                yield result

    async def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """The lines of the dataset that the job was made of, with the job's settings for all."""
        for url in await self._files(str(read_field(batch.raw, "inputDatasetId"))):
            async for line in self._client.lines(url, signed=True):
                yield read_request(line, batch.raw)

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a job, which the API does by deleting it; one that has ended stays as it is."""
        batch = await self.retrieve(batch_id)
        if batch.info.is_terminal:
            return batch
        await self._client.delete(await self._job(batch_id))
        info = replace(batch.info, status=BatchStatus.CANCELLED, provider_status="deleted")
        return replace(batch, info=info)

    async def list(self) -> AsyncGenerator[ApiBatch]:
        """All jobs, page by page."""
        jobs = f"{await self._root()}/batchInferenceJobs"
        query = f"pageSize={_PAGE}&orderBy={quote('created_time desc')}"
        token = ""
        while True:
            reply = await self._client.get(f"{jobs}?{query}{token}")
            for value in read_objects(read_object(reply).get("batchInferenceJobs")):
                yield read_job(value, self._engine)
            following = read_object(reply).get("nextPageToken")
            if not following:
                return
            token = f"&pageToken={quote(str(following))}"

    async def _root(self) -> str:
        """The path of the account, below which all else is. Raises ConfigError if it is unclear."""
        if not self._account:
            reply = await self._accounts()
            accounts = read_objects(read_object(reply).get("accounts"))
            names = [str(read_field(account, "name")) for account in accounts]
            if len(names) != 1:
                found = ", ".join(name.rpartition("/")[2] for name in names) or "none"
                raise ConfigError(
                    f"{self._engine}: name the account in {_ACCOUNT}; this key opens: {found}"
                )
            self._account = names[0].rpartition("/")[2]
        return f"/accounts/{quote(self._account)}"

    async def _accounts(self) -> Any:
        try:
            return await self._client.get("/accounts")
        except ModelNotFoundError as error:
            raise ConfigError(
                f"{self._engine}: no accounts at {self._client.base}. Check "
                f"remote_params.api_url, or name the account in {_ACCOUNT}"
            ) from error

    async def _job(self, batch_id: str) -> str:
        return f"{await self._root()}/batchInferenceJobs/{quote(batch_id)}"

    async def _make_dataset(self, datasets: str, name: str, requests: int) -> None:
        dataset = {"displayName": TITLE, "userUploaded": {}, "exampleCount": str(requests)}
        try:
            await self._client.post(datasets, {"datasetId": name, "dataset": dataset})
        except UnavailableError as error:
            if error.status != 409:  # else the reply to an earlier try was lost
                raise

    async def _files(self, dataset: str) -> tuple[str, ...]:
        """Signed URLs of the files of a dataset; none if the dataset does not exist."""
        path = f"{await self._root()}/datasets/{dataset.rpartition('/')[2]}:getDownloadEndpoint"
        try:
            reply = await self._client.get(path)
        except ModelNotFoundError:
            return ()
        urls = read_object(read_object(reply).get("filenameToSignedUrls"))
        return tuple(map(str, urls.values()))


def open_api(client: ApiClient, engine: str) -> FireworksBatches:
    """The batch API, called through a client."""
    return FireworksBatches(client, engine)


def _count_lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines)
