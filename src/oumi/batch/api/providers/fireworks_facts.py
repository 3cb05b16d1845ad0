"""What Fireworks tells of jobs and of their rows. Pure functions.

https://docs.fireworks.ai/api-reference/get-batch-inference-job
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.batch.api.providers import ApiBatch, BatchRequest, Outcome
from oumi.batch.api.providers.shared import read_field, read_result, read_status, read_time
from oumi.batch.failures import failure_of
from oumi.core.digest import new_digest
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.core.types.result import Failure

_LONGEST_ID = 63
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
"""How the datasets of ours are known from others."""
_FOR_ALL = {
    "maxTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "n": "n",
}
"""What a job may set for all its rows, with its name in a row."""


def id_of(tag: str) -> str:
    """What a part is called at Fireworks: its dataset and its job alike."""
    if len(output_of(tag)) <= _LONGEST_ID:
        return tag
    digest = new_digest()
    digest.update(tag.encode())
    return f"oumi-batch-{digest.hexdigest()}"


def output_of(job: str) -> str:
    """What the dataset is called that a job of ours writes."""
    return f"{job}-out"


def read_job(facts: Mapping[str, Any], engine: str) -> ApiBatch:
    """A job."""
    word = str(read_field(facts, "state"))
    status = read_status(word.removeprefix(_PREFIX), _STATUSES)
    progress: Mapping[str, int] = facts.get("jobProgress") or {}
    done = progress.get("successfullyProcessedRequests") or 0
    failed = progress.get("failedRequests") or 0
    info = BatchInfo(
        id=_last(read_field(facts, "name")),
        status=status,
        total_requests=max(progress.get("totalInputRequests") or 0, done + failed),
        completed_requests=done,
        failed_requests=failed,
        created_at=read_time(facts.get("createTime")),
        completed_at=read_time(facts.get("updateTime")) if status.is_terminal else None,
        expires_at=read_time(facts.get("expireTime")),
        errors=_errors(facts.get("status") or {}),
        provider_status=word,
        engine=engine,
    )
    return ApiBatch(info, _last(facts.get("inputDatasetId") or ""), facts=facts)


def read_deleted(dataset: Mapping[str, Any], engine: str) -> ApiBatch:
    """A job of ours that is no more, from the dataset that it was to read."""
    name = str(read_field(dataset, "name"))
    info = BatchInfo(
        id=_last(name),
        status=BatchStatus.CANCELLED,
        total_requests=int(dataset.get("exampleCount") or 0),
        created_at=read_time(dataset.get("createTime")),
        provider_status="deleted",
        engine=engine,
    )
    return ApiBatch(info, info.id, facts={"outputDatasetId": output_of(name)})


def read_outcome(file: str, line: bytes, engine: str) -> Outcome | None:
    """A line of results, or of errors; None for an error that names no row."""
    try:
        custom_id, value = read_result(line)
    except BadReplyError as unreadable:
        if file.endswith(".jsonl"):  # the answers; what errors look like is documented nowhere
            raise
        logger.warning("%s: %s", file, unreadable)
        return None
    response, error = value.get("response"), value.get("error")
    if response and not error:
        return Outcome(custom_id, orjson.dumps(response))
    return Outcome(custom_id, failure=_failure(error, engine))


def read_asked(line: bytes, job: Mapping[str, Any]) -> BatchRequest:
    """A line of a dataset, with what the job set for all rows, which a row's own goes before."""
    custom_id, value = read_result(line)
    body: dict[str, Any] = read_field(value, "body")
    given = job.get("inferenceParameters") or {}
    for_all = {name: given[told] for told, name in _FOR_ALL.items() if told in given}
    for_all |= orjson.loads(given.get("extraBody") or "{}")
    return BatchRequest(
        custom_id, {"model": job.get("model"), **for_all, **_with_prompt(body, job)}
    )


def _with_prompt(body: dict[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    prompt, messages = job.get("systemPrompt"), body.get("messages") or []
    if not prompt or (messages and messages[0].get("role") == "system"):
        return body
    return {**body, "messages": [{"role": "system", "content": prompt}, *messages]}


def _failure(error: Any, engine: str) -> Failure:
    code = error.get("code") if isinstance(error, Mapping) else None
    if isinstance(code, int) and 400 <= code < 600:
        meant = to_error(code, orjson.dumps(error), None, engine, "the key")
        return Failure.from_error(meant)
    return failure_of(error)


def _errors(status: Mapping[str, Any]) -> tuple[str, ...]:
    is_fine = status.get("code") in (None, "OK", 0) or not status.get("message")
    return () if is_fine else (str(status["message"]),)


def _last(name: Any) -> str:
    return str(name).rpartition("/")[2]
