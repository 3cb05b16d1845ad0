"""Anthropic's message batches: the call that starts a batch holds the requests, and the results
are lines in any order.

https://platform.claude.com/docs/en/build-with-claude/batch-processing
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.backends.remote.http.uploads import Lines
from oumi.batch.api.providers.base import ApiBatch, BatchRequest, BatchResult
from oumi.batch.api.providers.shared import (
    batch_must_exist,
    cancel_unless_ended,
    rate_limit_means_queue_full,
    read_field,
    read_result,
    read_time,
)
from oumi.batch.failures import CANCELLED, EXPIRED
from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import Failure
from oumi.errors import UnavailableError, UnsupportedError

_PATH = "/messages/batches"
_PAGE = 100
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
        """By the first custom id, looked for in the results of each batch with as many requests.

        Raises UnavailableError while such a batch runs: to start another might pay twice.
        """
        first_id, count = _first_id_and_count(Path(upload))
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
            if await self._has_result(batch, first_id):
                return batch
        return None

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a batch is."""
        with batch_must_exist(self._engine, batch_id):
            return self._read(await self._client.get(f"{_PATH}/{batch_id}"))

    async def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The lines of the results; none before the batch has ended."""
        if batch.info.is_terminal:
            async for line in self._client.lines(f"{_PATH}/{batch.info.id}/results"):
                yield self._result(line)

    async def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """Raises UnsupportedError: the API does not return the requests of a batch."""
        raise UnsupportedError(
            f"{batch.info.id} was not submitted from here, and {self._engine} does not tell what "
            "was asked in it"
        )
        yield  # the Protocol wants a generator

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a batch; one that has ended before stays as it is."""
        with batch_must_exist(self._engine, batch_id):
            return await cancel_unless_ended(
                lambda: self._cancel(batch_id), lambda: self.retrieve(batch_id)
            )

    async def list(self) -> AsyncGenerator[ApiBatch]:
        """All batches, page by page."""
        after = ""
        while True:
            reply = await self._client.get(f"{_PATH}?limit={_PAGE}{after}")
            for value in reply["data"]:
                yield self._read(value)
            if not (reply.get("has_more") and reply["data"]):
                return
            after = f"&after_id={reply['data'][-1]['id']}"

    async def _cancel(self, batch_id: str) -> ApiBatch:
        return self._read(await self._client.post(f"{_PATH}/{batch_id}/cancel", {}))

    async def _has_result(self, batch: ApiBatch, custom_id: str) -> bool:
        async for line in self._client.lines(f"{_PATH}/{batch.info.id}/results"):
            if orjson.loads(line)["custom_id"] == custom_id:
                return True
        return False

    def _result(self, line: bytes) -> BatchResult:
        custom_id, value = read_result(line)
        result = read_field(value, "result")
        result_type = read_field(result, "type")
        if result_type == "succeeded":
            return BatchResult(custom_id, write_json(result["message"]))
        if result_type in _FAILURES:
            return BatchResult(custom_id, failure=_FAILURES[result_type])
        return BatchResult(custom_id, failure=self._failure(result.get("error") or {}))

    def _failure(self, error: Mapping[str, Any]) -> Failure:
        error_type = str((error.get("error") or error).get("type"))
        body = write_json(error)
        status = _STATUS_OF.get(error_type, 400)
        return Failure.from_error(to_error(status, body, None, self._engine, "the key"))

    def _read(self, raw: Mapping[str, Any]) -> ApiBatch:
        try:
            return ApiBatch(self._info(raw), raw=raw)
        except (LookupError, TypeError, ValueError) as error:
            raise BadReplyError(f"a reply that is no batch: {str(raw)[:200]}") from error

    def _info(self, raw: Mapping[str, Any]) -> BatchInfo:
        counts: Mapping[str, int] = raw["request_counts"]
        created_at = read_time(raw["created_at"])
        return BatchInfo(
            id=raw["id"],
            status=_status(raw),
            total_requests=sum(counts.values()),
            completed_requests=counts["succeeded"],
            failed_requests=counts["errored"] + counts["canceled"] + counts["expired"],
            created_at=created_at,
            started_at=created_at,
            completed_at=read_time(raw.get("ended_at")),
            expires_at=read_time(raw.get("expires_at")),
            provider_status=raw["processing_status"],
            engine=self._engine,
        )


def open_api(client: ApiClient, engine: str) -> AnthropicBatches:
    """The batch API, called through a client."""
    return AnthropicBatches(client, engine)


def _status(raw: Mapping[str, Any]) -> BatchStatus:
    """The status of a batch; the API has only `ended`, so the counts of its results decide."""
    counts = raw["request_counts"]
    if raw["processing_status"] != "ended":
        return BatchStatus.IN_PROGRESS
    if counts["canceled"]:
        return BatchStatus.CANCELLED
    return BatchStatus.EXPIRED if counts["expired"] else BatchStatus.COMPLETED


def _first_id_and_count(file: Path) -> tuple[str, int]:
    """The first custom id in a file of requests, and how many requests there are."""
    with file.open("rb") as lines:
        first = orjson.loads(next(lines))["custom_id"]
        return first, 1 + sum(1 for _ in lines)
