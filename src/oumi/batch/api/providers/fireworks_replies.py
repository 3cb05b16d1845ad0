"""Fireworks' replies about jobs, and the lines of its datasets. Pure functions.

https://docs.fireworks.ai/api-reference/get-batch-inference-job
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.batch.api.providers import result_lines
from oumi.batch.api.providers.base import ApiBatch, BatchRequest
from oumi.batch.api.providers.facts import (
    is_error,
    read_count,
    read_field,
    read_object,
    read_objects,
    read_status,
    read_time,
)
from oumi.batch.failures import failure_of
from oumi.core.digest import new_digest
from oumi.core.json_text import read_json_leniently, write_json
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.failure import Failure

_MAX_ID_CHARACTERS = 63
_PREFIX = "JOB_STATE_"
_STATUSES = {
    "CREATING_INPUT_DATASET": BatchStatus.VALIDATING,
    "VALIDATING": BatchStatus.VALIDATING,
    "PENDING": BatchStatus.VALIDATING,
    "CREATING": BatchStatus.VALIDATING,
    "RE_QUEUEING": BatchStatus.VALIDATING,
    "RUNNING": BatchStatus.IN_PROGRESS,
    "WRITING_RESULTS": BatchStatus.FINALIZING,
    "CANCELLING": BatchStatus.CANCELLING,
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


def read_job(reply: Any, engine: str) -> ApiBatch:
    """A job."""
    raw = read_object(reply)
    state = str(raw.get("state") or "")
    status = read_status(state.removeprefix(_PREFIX), _STATUSES)
    progress = read_object(raw.get("jobProgress"))
    done = read_count(progress.get("successfullyProcessedRequests"))
    failed = read_count(progress.get("failedRequests"))
    info = BatchInfo(
        id=_last_segment(read_field(raw, "name")),
        status=status,
        total_requests=max(read_count(progress.get("totalInputRequests")), done + failed),
        completed_requests=done,
        failed_requests=failed,
        created_at=read_time(raw.get("createTime")),
        completed_at=read_time(raw.get("updateTime")) if status.is_terminal else None,
        expires_at=read_time(raw.get("expireTime")),
        errors=_errors(read_object(raw.get("status"))),
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
        total_requests=read_count(dataset.get("exampleCount")),
        created_at=read_time(dataset.get("createTime")),
        provider_status="deleted",
        engine=engine,
    )
    return ApiBatch(info, info.id, raw={"outputDatasetId": output_of(name)})


def read_outcome(line: Mapping[str, Any], engine: str) -> bytes | Failure:
    """The reply in a line of results, or the failure in one of errors."""
    response, error = line.get("response"), line.get("error")
    if response and is_error(error):
        raise BadReplyError(f"an answer beside an error: {error}")
    return write_json(response) if response else _failure(error, engine)


def read_request(line: bytes, job: Mapping[str, Any]) -> BatchRequest:
    """A line of a dataset, with the job's settings for all rows where the row has none."""
    request = result_lines.read_request(line)
    given = read_object(job.get("inferenceParameters"))
    settings = {name: given[own] for own, name in _JOB_SETTINGS.items() if own in given}
    settings |= read_object(_read_json(given.get("extraBody")))
    body = _with_prompt(request.body, job)
    return replace(request, body={"model": job.get("model"), **settings, **body})


def _read_json(text: Any) -> Any:
    try:
        return read_json_leniently(text.encode()) if isinstance(text, str) else text
    except ValueError:
        return None


def _with_prompt(body: dict[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    prompt, messages = job.get("systemPrompt"), read_objects(body.get("messages"))
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
