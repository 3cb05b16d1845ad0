"""Fireworks' replies about jobs, and the lines of its datasets. Pure functions.

https://docs.fireworks.ai/api-reference/get-batch-inference-job
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.batch.api.providers.base import ApiBatch, BatchRequest, BatchResult
from oumi.batch.api.providers.shared import read_field, read_result, read_status, read_time
from oumi.batch.failures import failure_of
from oumi.core.digest import new_digest
from oumi.core.json_text import write_json
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import Failure

_MAX_ID_CHARACTERS = 63
_PREFIX = "JOB_STATE_"
_STATUSES = {
    "CREATING_INPUT_DATASET": BatchStatus.VALIDATING,
    "VALIDATING": BatchStatus.VALIDATING,
    "PENDING": BatchStatus.VALIDATING,
    "CREATING": BatchStatus.VALIDATING,
    "RE_QUEUEING": BatchStatus.VALIDATING,
    "RUNNING": BatchStatus.IN_PROGRESS,
    "WRITING_RESULTS": BatchStatus.IN_PROGRESS,
    "CANCELLING": BatchStatus.IN_PROGRESS,
    "IDLE": BatchStatus.IN_PROGRESS,
    "PAUSED": BatchStatus.IN_PROGRESS,
    "COMPLETED": BatchStatus.COMPLETED,
    "FAILED": BatchStatus.FAILED,
    "EXPIRED": BatchStatus.EXPIRED,
    "EARLY_STOPPED": BatchStatus.EXPIRED,  # with some answers, as one that expired
    "CANCELLED": BatchStatus.CANCELLED,
    "DELETING": BatchStatus.CANCELLED,
    "DELETING_CLEANING_UP": BatchStatus.CANCELLED,
    "DELETED": BatchStatus.CANCELLED,
    "ARCHIVED": BatchStatus.CANCELLED,
}
TITLE = "requests of a batch, by oumi"
"""The display name of our datasets, by which they are known from those of others."""
_JOB_SETTINGS = {
    "maxTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "n": "n",
}
"""What a job may set for all its rows, with its name in a row's request."""


def id_of(tag: str) -> str:
    """The id of a shard's dataset and of its job at Fireworks."""
    if len(output_of(tag)) <= _MAX_ID_CHARACTERS:
        return tag
    digest = new_digest()
    digest.update(tag.encode())
    return f"oumi-batch-{digest.hexdigest()}"


def output_of(job: str) -> str:
    """The id of the dataset that a job of ours writes."""
    return f"{job}-out"


def read_job(raw: Mapping[str, Any], engine: str) -> ApiBatch:
    """A job."""
    state = str(read_field(raw, "state"))
    status = read_status(state.removeprefix(_PREFIX), _STATUSES)
    progress: Mapping[str, int] = raw.get("jobProgress") or {}
    done = progress.get("successfullyProcessedRequests") or 0
    failed = progress.get("failedRequests") or 0
    info = BatchInfo(
        id=_last_segment(read_field(raw, "name")),
        status=status,
        total_requests=max(progress.get("totalInputRequests") or 0, done + failed),
        completed_requests=done,
        failed_requests=failed,
        created_at=read_time(raw.get("createTime")),
        completed_at=read_time(raw.get("updateTime")) if status.is_terminal else None,
        expires_at=read_time(raw.get("expireTime")),
        errors=_errors(raw.get("status") or {}),
        provider_status=state,
        engine=engine,
    )
    return ApiBatch(info, _last_segment(raw.get("inputDatasetId") or ""), raw=raw)


def read_deleted(dataset: Mapping[str, Any], engine: str) -> ApiBatch:
    """A job of ours that was deleted, from the dataset that it was to read."""
    name = str(read_field(dataset, "name"))
    info = BatchInfo(
        id=_last_segment(name),
        status=BatchStatus.CANCELLED,
        total_requests=int(dataset.get("exampleCount") or 0),
        created_at=read_time(dataset.get("createTime")),
        provider_status="deleted",
        engine=engine,
    )
    return ApiBatch(info, info.id, raw={"outputDatasetId": output_of(name)})


def read_batch_result(file: str, line: bytes, engine: str) -> BatchResult | None:
    """A line of results, or of errors; None for an error that names no row."""
    try:
        custom_id, value = read_result(line)
    except BadReplyError as unreadable:
        if file.endswith(".jsonl"):  # the answers; the form of the errors is not documented
            raise
        logger.warning("%s: %s", file, unreadable)
        return None
    response, error = value.get("response"), value.get("error")
    if response and not error:
        return BatchResult(custom_id, write_json(response))
    return BatchResult(custom_id, failure=_failure(error, engine))


def read_request(line: bytes, job: Mapping[str, Any]) -> BatchRequest:
    """A line of a dataset, with the job's settings for all rows where the row has none."""
    custom_id, value = read_result(line)
    body: dict[str, Any] = read_field(value, "body")
    given = job.get("inferenceParameters") or {}
    settings = {name: given[own] for own, name in _JOB_SETTINGS.items() if own in given}
    settings |= orjson.loads(given.get("extraBody") or "{}")
    return BatchRequest(
        custom_id, {"model": job.get("model"), **settings, **_with_prompt(body, job)}
    )


def _with_prompt(body: dict[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    prompt, messages = job.get("systemPrompt"), body.get("messages") or []
    if not prompt or (messages and messages[0].get("role") == "system"):
        return body
    return {**body, "messages": [{"role": "system", "content": prompt}, *messages]}


def _failure(error: Any, engine: str) -> Failure:
    code = error.get("code") if isinstance(error, Mapping) else None
    if isinstance(code, int) and 400 <= code < 600:
        meaning = to_error(code, write_json(error), None, engine, "the key")
        return Failure.from_error(meaning)
    return failure_of(error)


def _errors(status: Mapping[str, Any]) -> tuple[str, ...]:
    is_ok = status.get("code") in (None, "OK", 0) or not status.get("message")
    return () if is_ok else (str(status["message"]),)


def _last_segment(name: Any) -> str:
    return str(name).rpartition("/")[2]
