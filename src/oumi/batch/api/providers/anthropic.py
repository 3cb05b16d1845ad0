"""Anthropic's message batches: the call that starts a batch holds the requests, and the results
are lines in any order.

https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import aclosing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.errors import to_error
from oumi.backends.remote.http.uploads import Lines
from oumi.batch.api.providers.base import ApiBatch, BatchRequest, BatchResult
from oumi.batch.api.providers.facts import (
    read_count,
    read_field,
    read_object,
    read_objects,
    read_time,
)
from oumi.batch.api.providers.result_lines import find_custom_id, read_results
from oumi.batch.api.providers.shared import (
    batch_must_exist,
    cancel_unless_ended,
    rate_limit_means_queue_full,
    requests_not_told,
)
from oumi.batch.failures import CANCELLED, EXPIRED
from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.failure import Failure
from oumi.errors import UnavailableError

_PATH = "/messages/batches"
_PAGE = 100
_IDS_TO_FIND = 100
_STATUS_OF = {
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_FAILURES = {
    "canceled": Failure(CANCELLED, "cancelled before it was answered", is_retryable=True),
    "expired": Failure(EXPIRED, "not answered before the batch expired", is_retryable=True),
}


class AnthropicBatches:
    """Nothing is uploaded, so the path of the local file stands for the upload. Batches carry no
    tag: one is recognised by the custom ids in its results, which exist once it has ended.
    """

    def __init__(self, client: ApiClient, engine: str):
        self._client = client
        self._engine = engine

    async def is_offered(self) -> bool:
        """Always."""
        return True

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request as a line of the file."""
        return orjson.dumps({"custom_id": custom_id, "params": orjson.Fragment(body)}) + b"\n"

    async def upload(self, file: Path, tag: str) -> str:
        """The path of the file."""
        return str(file)

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a batch. Raises QueueFullError."""
        lines = Lines(b'{"requests":[', Path(upload), b"]}")
        with rate_limit_means_queue_full():
            return self._read(await self._client.post_lines(_PATH, lines))

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """By its custom ids, looked for in the results of each batch with as many requests.

        Raises UnavailableError while such a batch runs: to start another might pay twice.
        """
        ids, count = _some_ids_and_count(Path(upload))
        async for batch in self.list():
            if batch.info.created_at and batch.info.created_at < since:
                return None
            if batch.info.id in known or batch.info.total_requests != count:
                continue
            if not batch.info.is_terminal:
                raise UnavailableError(
                    f"{batch.info.id} may be the batch that was begun when the last process ended; "
                    "that is known once it has ended: ask again then"
                )
            if await self._has_result_of(batch, ids):
                return batch
        return None

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a batch is."""
        with batch_must_exist(self._engine, batch_id):
            return self._read(await self._client.get(f"{_PATH}/{batch_id}"))

    def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The lines of the results; none before the batch has ended."""
        paths = [f"{_PATH}/{batch.info.id}/results"] if batch.info.is_terminal else []
        files = (self._client.lines(path) for path in paths)
        return read_results(batch, files, self._read_outcome)

    def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """Raises UnsupportedError: the API does not return the requests of a batch."""
        raise requests_not_told(batch, self._engine)

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a batch; one that has ended before stays as it is."""
        return await cancel_unless_ended(self._engine, batch_id, self._cancel, self.retrieve)

    async def list(self) -> AsyncGenerator[ApiBatch]:
        """All batches, page by page."""
        after = ""
        while True:
            reply = await self._client.get(f"{_PATH}?limit={_PAGE}{after}")
            page = read_objects(read_field(reply, "data"))
            for value in page:
                yield self._read(value)
            if not (reply.get("has_more") and page):
                return
            after = f"&after_id={read_field(page[-1], 'id')}"

    async def _cancel(self, batch_id: str) -> ApiBatch:
        return self._read(await self._client.post(f"{_PATH}/{batch_id}/cancel", {}))

    async def _has_result_of(self, batch: ApiBatch, ids: set[str]) -> bool:
        """By the text of the lines, any of which may be torn."""
        async with aclosing(self._client.lines(f"{_PATH}/{batch.info.id}/results")) as lines:
            async for line in lines:
                if find_custom_id(line) in ids:
                    return True
        return False

    def _read_outcome(self, line: Mapping[str, Any]) -> bytes | Failure:
        result = read_object(line.get("result"))
        result_type = read_field(result, "type")
        if result_type == "succeeded":
            return write_json(read_field(result, "message"))
        if result_type in _FAILURES:
            return _FAILURES[result_type]
        return self._failure(read_field(result, "error"))

    def _failure(self, error: Any) -> Failure:
        error_type = str(read_object(read_object(error).get("error") or error).get("type"))
        status = _STATUS_OF.get(error_type, 400)
        meaning = to_error(status, write_json(error), None, self._engine, "the key")
        return Failure.from_error(meaning)

    def _read(self, reply: Any) -> ApiBatch:
        raw = read_object(reply)
        counts = {
            name: read_count(count)
            for name, count in read_object(raw.get("request_counts")).items()
        }
        failed = sum(counts.get(name, 0) for name in ("errored", "canceled", "expired"))
        created_at = read_time(raw.get("created_at"))
        info = BatchInfo(
            id=str(read_field(raw, "id")),
            status=_status(raw, counts),
            total_requests=sum(counts.values()),
            completed_requests=counts.get("succeeded", 0),
            failed_requests=failed,
            created_at=created_at,
            started_at=created_at,
            completed_at=read_time(raw.get("ended_at")),
            expires_at=read_time(raw.get("expires_at")),
            provider_status=str(raw.get("processing_status") or ""),
            engine=self._engine,
        )
        return ApiBatch(info, raw=raw)


def open_api(client: ApiClient, engine: str) -> AnthropicBatches:
    """The batch API, called through a client."""
    return AnthropicBatches(client, engine)


def _status(raw: Mapping[str, Any], counts: Mapping[str, int]) -> BatchStatus:
    """The status of a batch; the API has only `ended`, so the counts of its results decide."""
    if raw.get("processing_status") == "canceling":
        return BatchStatus.CANCELLING
    if raw.get("processing_status") != "ended":
        return BatchStatus.IN_PROGRESS
    if counts.get("canceled"):
        return BatchStatus.CANCELLED
    return BatchStatus.EXPIRED if counts.get("expired") else BatchStatus.COMPLETED


def _some_ids_and_count(file: Path) -> tuple[set[str], int]:
    """Custom ids in a file of requests, and how many requests there are.

    Some, since the result of any single one may be torn.
    """
    with file.open("rb") as lines:
        ids = {find_custom_id(line) for line in islice(lines, _IDS_TO_FIND)}
        return ids, len(ids) + sum(1 for _ in lines)
