"""Gemini's batches: a file of requests in Google's own form, and a file of its replies.

https://ai.google.dev/gemini-api/docs/batch-api
https://ai.google.dev/api/batch-api
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
from oumi.batch.api.providers.google_files import native_client, upload_file
from oumi.batch.api.providers.result_lines import read_results
from oumi.batch.api.providers.shared import (
    batch_must_exist,
    cancel_unless_ended,
    rate_limit_means_queue_full,
    requests_not_told,
)
from oumi.batch.window import check_window
from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchInfo
from oumi.core.types.failure import Failure

_WINDOW = timedelta(hours=24)
_PAGE = 100


class GeminiBatches:
    """A batch is an operation, which bears its shard's tag as its name for people."""

    def __init__(self, client: ApiClient, engine: str):
        self._client = native_client(client)
        self._engine = engine

    async def is_offered(self) -> bool:
        """Always."""
        return True

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request as a line of the file, in Google's own form. Raises UnsupportedError."""
        request = to_generate_content(orjson.loads(body))
        return write_json({"key": custom_id, "request": request}) + b"\n"

    async def upload(self, file: Path, tag: str) -> str:
        """Upload the file under the name of its tag."""
        return await upload_file(self._client, file, tag)

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a batch. Raises QueueFullError, and ConfigError for any window but 24h."""
        check_window(self._engine, window, _WINDOW)
        model = self._client.session.config.model.model_name.removeprefix("models/")
        order = {"batch": {"displayName": tag, "inputConfig": {"fileName": upload}}}
        with rate_limit_means_queue_full():
            return self._read(
                await self._client.post(f"/models/{quote(model)}:batchGenerateContent", order)
            )

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """By its tag, or by its file: each is uploaded for one batch alone."""
        async for batch in self.list():
            name = _metadata(batch.raw).get("displayName")
            if (name == tag or batch.upload == upload) and batch.info.id not in known:
                return batch
        return None

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a batch is."""
        with batch_must_exist(self._engine, batch_id):
            return self._read(await self._client.get(f"/batches/{quote(batch_id)}"))

    def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The lines of the file that the batch wrote."""
        output = read_object(_metadata(batch.raw).get("output"))
        output = output or read_object(batch.raw.get("response"))
        names = [str(name) for name in [output.get("responsesFile")] if name]
        files = (self._client.lines(f"/{name}:download?alt=media") for name in names)
        return read_results(batch, files, self._read_outcome, _read_key)

    def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """Raises UnsupportedError: the API does not return a file that was uploaded."""
        raise requests_not_told(batch, self._engine)

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a batch."""
        return await cancel_unless_ended(self._engine, batch_id, self._cancel, self.retrieve)

    async def list(self) -> AsyncGenerator[ApiBatch]:
        """All batches, page by page."""
        async for value in read_pages(self._client, f"/batches?pageSize={_PAGE}", "operations"):
            yield self._read(value)

    async def _cancel(self, batch_id: str) -> ApiBatch:
        await self._client.post(f"/batches/{quote(batch_id)}:cancel", {})
        return await self.retrieve(batch_id)

    def _read_outcome(self, line: Mapping[str, Any]) -> bytes | Failure:
        """A line has a `response` or an `error`, which is a status of Google's."""
        if response := read_object(line.get("response")):
            return to_chat_reply(response)
        return read_failure(read_object(line.get("error") or line.get("status")), self._engine)

    def _read(self, reply: Any) -> ApiBatch:
        """An operation, whose `metadata` is the batch."""
        raw = read_object(reply)
        facts = _metadata(raw)
        counts = read_object(facts.get("batchStats"))
        provider_status = str(facts.get("state") or "")
        error = raw.get("error")
        info = BatchInfo(
            id=str(read_field(raw, "name")).rpartition("/")[2],
            status=read_state(provider_status, has_failed=bool(error)),
            total_requests=read_count(counts.get("requestCount")),
            completed_requests=read_count(counts.get("successfulRequestCount")),
            failed_requests=read_count(counts.get("failedRequestCount")),
            created_at=read_time(facts.get("createTime")),
            completed_at=read_time(facts.get("endTime")),
            errors=(error_text(error),) if error else (),
            provider_status=provider_status,
            engine=self._engine,
        )
        upload = read_object(facts.get("inputConfig")).get("fileName")
        return ApiBatch(info, str(upload or ""), raw=raw)


def open_api(client: ApiClient, engine: str) -> GeminiBatches:
    """The batch API, called through a client."""
    return GeminiBatches(client, engine)


def _metadata(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    return read_object(raw.get("metadata"))


def _read_key(line: Mapping[str, Any]) -> str:
    return str(line["key"])
