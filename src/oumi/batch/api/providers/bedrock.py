"""Bedrock's model invocation jobs: requests in a file of a bucket in S3, and replies in another.

https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.batch.api.providers.base import ApiBatch, BatchRequest, BatchResult
from oumi.batch.api.providers.buckets import open_s3, read_folder, read_place
from oumi.batch.api.providers.facts import (
    read_count,
    read_field,
    read_number,
    read_object,
    read_objects,
    read_status,
    read_time,
)
from oumi.batch.api.providers.shared import (
    batch_must_exist,
    cancel_unless_ended,
    rate_limit_means_queue_full,
    requests_of_other_form,
)
from oumi.batch.failures import failure_of
from oumi.batch.window import whole_hours
from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.failure import Failure
from oumi.errors import ConfigError, UnsupportedError

_JOBS, _JOB = "/model-invocation-jobs", "/model-invocation-job"
_PAGE = 100
_HOURS = (24, 168)
_INPUT, _OUTPUT, _RESULTS = "requests.jsonl", "out/", ".jsonl.out"
_STATUSES = {
    "submitted": BatchStatus.VALIDATING,
    "validating": BatchStatus.VALIDATING,
    "scheduled": BatchStatus.VALIDATING,
    "inprogress": BatchStatus.IN_PROGRESS,
    "stopping": BatchStatus.CANCELLING,
    "completed": BatchStatus.COMPLETED,
    "partiallycompleted": BatchStatus.EXPIRED,  # not all of it was answered in time
    "failed": BatchStatus.FAILED,
    "stopped": BatchStatus.CANCELLED,
    "expired": BatchStatus.EXPIRED,
}


class BedrockBatches:
    """A shard's tag is the name of its job, and the token by which a job is made but once."""

    def __init__(self, client: ApiClient, engine: str):
        self._client = client.at(client.session.address.models_base)
        self._engine = engine

    async def is_offered(self) -> bool:
        """Always."""
        return True

    def line(self, custom_id: str, path: str, body: bytes) -> bytes:
        """A request as a line of the file. Raises UnsupportedError for one with tools, which is
        also how some models are sent a schema.
        """
        request = orjson.loads(body)
        if "toolConfig" in request:
            raise UnsupportedError(
                "a batch of Bedrock takes no tools, nor a schema for a model that takes it as a "
                "tool: ask this row by infer"
            )
        return write_json({"recordId": custom_id, "modelInput": request}) + b"\n"

    async def upload(self, file: Path, tag: str) -> str:
        """Copy the file into a folder of the bucket, which is named by its tag."""
        storage = self._client.session.remote.batch_storage or ""
        place = read_place(storage, "s3", self._engine).below(f"{tag}/{_INPUT}")
        await open_s3(self._client, place).put(file, place)
        return place.uri

    async def create(self, upload: str, tag: str, path: str, window: str) -> ApiBatch:
        """Start a job. Raises QueueFullError, and ConfigError for a window that is not taken."""
        output = upload.removesuffix(_INPUT) + _OUTPUT
        order = {
            "jobName": tag,
            "clientRequestToken": tag,
            "roleArn": self._client.session.remote.batch_role,
            "modelId": self._client.session.config.model.model_name,
            "modelInvocationType": "Converse",
            "inputDataConfig": {"s3InputDataConfig": {"s3Uri": upload, "s3InputFormat": "JSONL"}},
            "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": output}},
            "timeoutDurationInHours": self._hours(window),
        }
        with rate_limit_means_queue_full():
            reply = await self._client.post(_JOB, order)
        return await self.retrieve(_id_of(read_field(reply, "jobArn")))

    async def find(
        self, tag: str, upload: str, known: Collection[str], since: datetime
    ) -> ApiBatch | None:
        """By its name."""
        async for batch in self._list(f"&nameContains={quote(tag)}"):
            if batch.raw.get("jobName") == tag and batch.info.id not in known:
                return batch
        return None

    async def retrieve(self, batch_id: str) -> ApiBatch:
        """How far a job is."""
        with batch_must_exist(self._engine, batch_id):
            return self._read(await self._client.get(f"{_JOB}/{quote(batch_id, safe='')}"))

    def results(self, batch: ApiBatch) -> AsyncGenerator[BatchResult]:
        """The lines of the files that the job wrote."""
        output = read_object(batch.raw.get("outputDataConfig")).get("s3OutputDataConfig")
        folder = read_place(str(read_field(output, "s3Uri")), "s3", self._engine)
        bucket = open_s3(self._client, folder)
        return read_folder(batch, bucket, folder, _RESULTS, self._read_outcome, _read_id)

    def requests(self, batch: ApiBatch) -> AsyncGenerator[BatchRequest]:
        """Raises UnsupportedError: other programs ask models in forms of their own."""
        raise requests_of_other_form(batch)

    async def cancel(self, batch_id: str) -> ApiBatch:
        """Stop a job."""
        return await cancel_unless_ended(self._engine, batch_id, self._cancel, self.retrieve)

    def list(self) -> AsyncGenerator[ApiBatch]:
        """All jobs, the newest first."""
        return self._list("")

    async def _list(self, wanted: str) -> AsyncGenerator[ApiBatch]:
        token = ""
        while True:
            query = f"maxResults={_PAGE}{wanted}{token}&sortBy=CreationTime&sortOrder=Descending"
            reply = read_object(await self._client.get(f"{_JOBS}?{query}"))
            for value in read_objects(reply.get("invocationJobSummaries")):
                yield self._read(value)
            if not (following := reply.get("nextToken")):
                return
            token = f"&nextToken={quote(str(following), safe='')}"

    async def _cancel(self, batch_id: str) -> ApiBatch:
        await self._client.post(f"{_JOB}/{quote(batch_id, safe='')}/stop", {})
        return await self.retrieve(batch_id)

    def _hours(self, window: str) -> int:
        hours, (least, most) = whole_hours(self._engine, window), _HOURS
        if not least <= hours <= most:
            raise ConfigError(
                f"remote_params.batch_completion_window: {window!r}, and {self._engine} takes "
                f"{least}h to {most}h"
            )
        return hours

    def _read_outcome(self, line: Mapping[str, Any]) -> bytes | Failure:
        """A line has a `modelOutput`, or an `error` in its place."""
        if output := read_object(line.get("modelOutput")):
            return write_json(output)
        error = read_object(line.get("error"))
        if not error:
            raise BadReplyError(f"no answer: {str(line)[:200]}")
        message = {"message": error.get("errorMessage")}
        status = read_number(error.get("errorCode"))
        if error.get("expired"):
            return failure_of({**message, "code": "batch_expired"})
        if status is None or not 400 <= status < 600:
            return failure_of(message)
        meaning = to_error(int(status), write_json(message), None, self._engine, "the key")
        return Failure.from_error(meaning)

    def _read(self, reply: Any) -> ApiBatch:
        raw = read_object(reply)
        provider_status = str(raw.get("status") or "")
        message = raw.get("message")
        info = BatchInfo(
            id=_id_of(read_field(raw, "jobArn")),
            status=read_status(provider_status.lower(), _STATUSES),
            total_requests=read_count(raw.get("totalRecordCount")),
            completed_requests=read_count(raw.get("successRecordCount")),
            failed_requests=read_count(raw.get("errorRecordCount")),
            created_at=read_time(raw.get("submitTime")),
            completed_at=read_time(raw.get("endTime")),
            expires_at=read_time(raw.get("jobExpirationTime")),
            errors=(str(message),) if message else (),
            provider_status=provider_status,
            engine=self._engine,
        )
        source = read_object(raw.get("inputDataConfig")).get("s3InputDataConfig")
        return ApiBatch(info, str(read_object(source).get("s3Uri") or ""), raw=raw)


def open_api(client: ApiClient, engine: str) -> BedrockBatches:
    """The batch API, called through a client."""
    return BedrockBatches(client, engine)


def _id_of(arn: Any) -> str:
    """The last part of a job's ARN, by which it can be named as well."""
    return str(arn).rpartition("/")[2]


def _read_id(line: Mapping[str, Any]) -> str:
    return str(line["recordId"])
