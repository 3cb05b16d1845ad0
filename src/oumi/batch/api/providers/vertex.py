"""Vertex AI's batch prediction jobs: requests and replies in a bucket of Cloud Storage.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-gemini
https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.batchPredictionJobs
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from oumi.backends.remote.api_client import ApiClient
from oumi.batch.api.providers.base import ApiBatch, BatchRequest, BatchResult
from oumi.batch.api.providers.buckets import GcsBucket, read_folder, read_place
from oumi.batch.api.providers.facts import (
    error_text,
    read_count,
    read_field,
    read_object,
    read_time,
)
from oumi.batch.api.providers.gemini_reply import to_chat_reply
from oumi.batch.api.providers.gemini_request import to_generate_content
from oumi.batch.api.providers.google_facts import read_failure, read_pages, read_state
from oumi.batch.api.providers.shared import (
    batch_must_exist,
    cancel_unless_ended,
    rate_limit_means_queue_full,
    requests_of_other_form,
)
from oumi.batch.window import check_window
from oumi.core.json_text import parse_json, write_json
from oumi.core.types.batch import BatchInfo
from oumi.core.types.failure import Failure
from oumi.errors import UnsupportedError

_WINDOW = timedelta(hours=24)
_JOBS = "/batchPredictionJobs"
_PAGE = 100
_INPUT, _OUTPUT, _RESULTS = "requests.jsonl", "out/", ".jsonl"
_CHAT_API = "/endpoints/openapi"
_MAKER = "google/"
_LABEL = "oumi_row"
"""The label of a request that holds its id: a line of results repeats its request and has no id of
its own. https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference#request
"""


class VertexBatches:
    """A shard's tag is the name of its job for people, and of its folder in the bucket."""

    def __init__(self, client: ApiClient, engine: str):
        base = client.session.address.bases[0]
        self._client = client.at(base.removesuffix(_CHAT_API))
        self._engine = engine

    async def is_offered(self) -> bool:
        """Always."""
        return True

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request as a line of the file, in Google's own form. Raises UnsupportedError."""
        request = to_generate_content(orjson.loads(body))
        return write_json({"request": {**request, "labels": {_LABEL: custom_id}}}) + b"\n"

    async def upload(self, file: Path, tag: str) -> str:
        """Copy the file into a folder of the bucket, which is named by its tag."""
        storage = self._client.session.remote.batch_storage or ""
        place = read_place(storage, "gs", self._engine).below(f"{tag}/{_INPUT}")
        await GcsBucket(self._client, place.bucket).put(file, place)
        return place.uri

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a job. Raises QueueFullError, ConfigError for any window but 24h, and
        UnsupportedError for a model that is not Google's.
        """
        check_window(self._engine, window, _WINDOW)
        output = upload.removesuffix(_INPUT) + _OUTPUT
        order = {
            "displayName": tag,
            "model": self._model(),
            "inputConfig": {"instancesFormat": "jsonl", "gcsSource": {"uris": [upload]}},
            "outputConfig": {
                "predictionsFormat": "jsonl",
                "gcsDestination": {"outputUriPrefix": output},
            },
        }
        with rate_limit_means_queue_full():
            return self._read(await self._client.post(_JOBS, order))

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """By its name."""
        name = quote(f'display_name="{tag}"', safe="")
        async for batch in self._list(f"&filter={name}"):
            if batch.raw.get("displayName") == tag and batch.info.id not in known:
                return batch
        return None

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a job is."""
        with batch_must_exist(self._engine, batch_id):
            return self._read(await self._client.get(f"{_JOBS}/{quote(batch_id, safe='')}"))

    def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The lines of the files that the job wrote."""
        target = read_object(read_object(batch.raw.get("outputConfig")).get("gcsDestination"))
        folder = read_place(str(read_field(target, "outputUriPrefix")), "gs", self._engine)
        bucket = GcsBucket(self._client, folder.bucket)
        return read_folder(batch, bucket, folder, _RESULTS, self._read_outcome, _read_id)

    def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """Raises UnsupportedError: other programs ask in a form that has no way back."""
        raise requests_of_other_form(batch)

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a job."""
        return await cancel_unless_ended(self._engine, batch_id, self._cancel, self.retrieve)

    def list(self) -> AsyncGenerator[ApiBatch]:
        """All jobs, the newest first."""
        return self._list("")

    async def _list(self, wanted: str) -> AsyncGenerator[ApiBatch]:
        path = f"{_JOBS}?pageSize={_PAGE}{wanted}"
        async for value in read_pages(self._client, path, "batchPredictionJobs"):
            yield self._read(value)

    async def _cancel(self, batch_id: str) -> ApiBatch:
        await self._client.post(f"{_JOBS}/{quote(batch_id, safe='')}:cancel", {})
        return await self.retrieve(batch_id)

    def _model(self) -> str:
        name = self._client.session.config.model.model_name
        if not name.startswith(_MAKER):
            raise UnsupportedError(
                f"{self._engine}: a batch of {name}: batches are offered here for Google's own "
                f"models, whose names begin with {_MAKER}"
            )
        return f"publishers/google/models/{name.removeprefix(_MAKER)}"

    def _read_outcome(self, line: Mapping[str, Any]) -> bytes | Failure:
        """A line has a `response`, or a `status` that says why there is none."""
        response = read_object(line.get("response"))
        if response.get("candidates") or response.get("promptFeedback"):
            return to_chat_reply(response)
        return read_failure(_error_in(line.get("status")), self._engine)

    def _read(self, reply: Any) -> ApiBatch:
        raw = read_object(reply)
        counts = read_object(raw.get("completionStats"))
        done, failed = (read_count(counts.get(f"{k}Count")) for k in ("successful", "failed"))
        provider_status, error = str(raw.get("state") or ""), raw.get("error")
        source = read_object(read_object(raw.get("inputConfig")).get("gcsSource"))
        info = BatchInfo(
            id=str(read_field(raw, "name")).rpartition("/")[2],
            status=read_state(provider_status, has_failed=bool(error)),
            total_requests=done + failed + read_count(counts.get("incompleteCount")),
            completed_requests=done,
            failed_requests=failed,
            created_at=read_time(raw.get("createTime")),
            started_at=read_time(raw.get("startTime")),
            completed_at=read_time(raw.get("endTime")),
            errors=(error_text(error),) if error else (),
            provider_status=provider_status,
            engine=self._engine,
        )
        return ApiBatch(info, "".join(map(str, source.get("uris") or ())), raw=raw)


def open_api(client: ApiClient, engine: str) -> VertexBatches:
    """The batch API, called through a client."""
    return VertexBatches(client, engine)


def _read_id(line: Mapping[str, Any]) -> str:
    return str(line["request"]["labels"][_LABEL])


def _error_in(status: Any) -> Mapping[str, Any]:
    """The error in a status, which is a text that may end with one as JSON."""
    text = str(status or "")
    try:
        value = parse_json(text[text.index("{") :])
    except ValueError:
        return {"message": text} if text else {}
    return read_object(read_object(value).get("error") or value)
