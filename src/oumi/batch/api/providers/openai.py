"""Files and batches of the OpenAI API, which several providers speak.

https://platform.openai.com/docs/api-reference/batch
https://platform.openai.com/docs/api-reference/files
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.batch.api.providers.base import (
    ApiBatch,
    BatchRequest,
    BatchResult,
    QueueFullError,
)
from oumi.batch.api.providers.facts import (
    error_text,
    is_error,
    read_count,
    read_errors,
    read_field,
    read_number,
    read_object,
    read_objects,
    read_status,
    read_time,
)
from oumi.batch.api.providers.result_lines import read_request, read_results
from oumi.batch.api.providers.shared import (
    batch_must_exist,
    cancel_unless_ended,
)
from oumi.batch.failures import failure_of
from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.failure import Failure
from oumi.errors import ModelNotFoundError, OumiError, RequestError

TAG = "oumi_part"
"""The name under which a batch's metadata holds its shard's tag: that of version 0.1, whose batches
are still looked for.
"""

_QUEUE_FULL = "token_limit_exceeded"
_PAGE = 100

_STATUSES = {
    "validating": BatchStatus.VALIDATING,
    "in_progress": BatchStatus.IN_PROGRESS,
    "finalizing": BatchStatus.FINALIZING,
    "cancelling": BatchStatus.CANCELLING,  # up to ten minutes; the output comes after it
    "completed": BatchStatus.COMPLETED,
    "failed": BatchStatus.FAILED,
    "expired": BatchStatus.EXPIRED,
    "cancelled": BatchStatus.CANCELLED,
}
_ENDS = {
    "completed_at": BatchStatus.COMPLETED,
    "failed_at": BatchStatus.FAILED,
    "expired_at": BatchStatus.EXPIRED,
    "cancelled_at": BatchStatus.CANCELLED,
}
"""The field with the time at which a batch ended, by how it ended."""


class OpenAIBatches:
    """A batch is made of a file that was uploaded before, and gives two files: answers, errors."""

    upload_path = "/files"
    purpose = "batch"
    batches_path = "/batches"
    prefix = "/v1"
    """Of the paths that requests name."""
    statuses: Mapping[str, BatchStatus] = _STATUSES

    def __init__(self, client: ApiClient, engine: str):
        self._client = client
        self._engine = engine

    async def is_offered(self) -> bool:
        """Whether the server has a batch API at all."""
        try:
            await self._client.get(f"{self.batches_path}?limit=1")
        except (ModelNotFoundError, BadReplyError):
            return False
        except RequestError as error:
            if error.status != 405:
                raise
            return False
        return True

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request to `path` as a line of the file."""
        head = {"custom_id": custom_id, "method": "POST", "url": f"{self.prefix}{path}"}
        return orjson.dumps({**head, "body": orjson.Fragment(body)}) + b"\n"

    async def upload(self, file: Path, tag: str) -> str:
        """Upload the file under the name of its tag."""
        name = f"{tag}.jsonl"
        reply = await self._client.upload(self.upload_path, self._fields(name), file, name)
        return str(read_field(reply, "id"))

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a batch. Raises QueueFullError."""
        order = self._order(upload, tag, path, window)
        try:
            return self._read(await self._client.post(self.batches_path, order))
        except OumiError as error:
            if self._is_queue_full(error):
                raise QueueFullError(str(error)) from error
            raise

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """By its tag, or by its file's name where the server keeps no metadata."""
        uploads = await self._uploads(f"{tag}.jsonl")
        async for batch in self.list():
            metadata = read_object(batch.raw.get("metadata"))
            is_ours = metadata.get(TAG) == tag or batch.upload in uploads
            if is_ours and batch.info.id not in known:
                return batch
            if batch.info.created_at and batch.info.created_at < since:
                return None
        return None

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a batch is."""
        with batch_must_exist(self._engine, batch_id):
            return self._read(await self._client.get(f"{self.batches_path}/{batch_id}"))

    async def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The lines of the file of answers, then of the file of errors."""
        ids = [batch.raw.get(name) for name in ("output_file_id", "error_file_id")]
        files = (self._client.lines(f"/files/{file}/content") for file in ids if file)
        async with aclosing(read_results(batch, files, self._read_outcome)) as results:
            async for result in results:
                yield result

    async def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """The lines of the file that the batch was made of."""
        async for line in self._client.lines(f"/files/{batch.upload}/content"):
            yield read_request(line)

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a batch."""
        return await cancel_unless_ended(self._engine, batch_id, self._cancel, self.retrieve)

    async def list(self) -> AsyncGenerator[ApiBatch]:
        """All batches, page by page."""
        after = ""
        while True:
            reply = await self._client.get(f"{self.batches_path}?limit={_PAGE}{after}")
            page = read_objects(reply if isinstance(reply, list) else read_field(reply, "data"))
            for value in page:
                yield self._read(value)
            if isinstance(reply, list) or not page or not reply.get("has_more"):
                return
            after = f"&after={read_field(page[-1], 'id')}"

    async def _cancel(self, batch_id: str) -> ApiBatch:
        return self._read(await self._client.post(f"{self.batches_path}/{batch_id}/cancel", {}))

    def _order(self, upload: str, tag: str, path: str, window: str) -> dict[str, Any]:
        """The body of the request that starts a batch."""
        return {
            "input_file_id": upload,
            "endpoint": f"{self.prefix}{path}",
            "completion_window": window,
            "metadata": {TAG: tag},
        }

    def _is_queue_full(self, error: OumiError) -> bool:
        """OpenAI has no code for it in the reply to the call that starts a batch, only a text."""
        return _QUEUE_FULL in str(error) or "nqueued token" in str(error)

    def _fields(self, name: str) -> dict[str, str]:
        return {"purpose": self.purpose}

    async def _uploads(self, name: str) -> set[str]:
        """The ids of our uploaded files of a name."""
        reply = await self._client.get(f"/files?purpose={self.purpose}")
        files = read_objects(read_field(reply, "data"))
        return {str(file.get("id")) for file in files if file.get("filename") == name}

    def _read_outcome(self, line: Mapping[str, Any]) -> bytes | Failure:
        """Its status code decides: `error` may be null beside a failure."""
        response, error = line.get("response"), line.get("error")
        reply = read_object(response)
        status, body = read_number(reply.get("status_code")), reply.get("body")
        if body and not is_error(error) and (status is None or 200 <= status < 300):
            return body.encode() if isinstance(body, str) else write_json(body)
        if status is not None and 400 <= status < 600:
            meaning = to_error(int(status), write_json(body), None, self._engine, "the key")
            return Failure.from_error(meaning)
        if not body and (is_error(error) or response is None or status == 0):
            return failure_of(error)
        raise BadReplyError(f"no answer: {error or response}")

    def _read(self, reply: Any) -> ApiBatch:
        """A batch, which is the reply or its field `job`."""
        raw = read_object(read_object(reply).get("job")) or read_object(reply)
        errors = read_errors(raw.get("errors"))
        counts = read_object(raw.get("request_counts"))
        provider_status = str(raw.get("status") or "")
        ended = next((status for name, status in _ENDS.items() if raw.get(name)), None)
        info = BatchInfo(
            id=str(read_field(raw, "id")),
            status=read_status(provider_status.lower(), self.statuses, ended),
            total_requests=read_count(counts.get("total")),
            completed_requests=read_count(counts.get("completed")),
            failed_requests=read_count(counts.get("failed")),
            created_at=read_time(raw.get("created_at")),
            started_at=read_time(raw.get("in_progress_at")),
            completed_at=next((t for name in _ENDS if (t := read_time(raw.get(name)))), None),
            expires_at=read_time(raw.get("expires_at") or raw.get("job_deadline")),
            errors=tuple(error_text(error) for error in (*errors, *read_errors(raw.get("error")))),
            provider_status=provider_status,
            engine=self._engine,
        )
        is_rejected = any(read_object(error).get("code") == _QUEUE_FULL for error in errors)
        queue_full = is_rejected and info.status == BatchStatus.FAILED
        return ApiBatch(info, str(raw.get("input_file_id") or ""), queue_full, raw)


def open_api(client: ApiClient, engine: str) -> OpenAIBatches:
    """The batch API, called through a client."""
    return OpenAIBatches(client, engine)
