"""What several families of batch APIs have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError
from oumi.batch.api.providers.base import ApiBatch, QueueFullError
from oumi.core.json_text import write_json
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.errors import InputError, ModelNotFoundError, RequestError, UnavailableError

# Output files appear seconds, at times minutes after a batch has ended. What is still missing after
# an hour is taken to be missing for good, so that a job can be finished without it.
_MAX_OUTPUT_DELAY = timedelta(hours=1)


@contextmanager
def batch_must_exist(engine: str, batch_id: str) -> Iterator[None]:
    """Raise InputError, which names the batch, where the provider answers 404."""
    try:
        yield
    except ModelNotFoundError as error:
        raise InputError(f"{engine} knows no batch {batch_id}") from error


@contextmanager
def rate_limit_means_queue_full() -> Iterator[None]:
    """Raise QueueFullError for a status of 429, where that is how a full queue is reported."""
    try:
        yield
    except UnavailableError as error:
        if error.status == 429:
            raise QueueFullError(str(error)) from error
        raise


async def cancel_unless_ended(
    cancel: Callable[[], Awaitable[ApiBatch]], retrieve: Callable[[], Awaitable[ApiBatch]]
) -> ApiBatch:
    """Stop a batch; one that has ended, which makes `cancel` fail, stays as it is."""
    try:
        return await cancel()
    except (RequestError, UnavailableError):
        batch = await retrieve()
        if not batch.info.is_terminal:
            raise
        return batch


def line_without_model(custom_id: str, body: bytes) -> bytes:
    """A request as a line of a file whose model is named by the job."""
    fields = {name: value for name, value in orjson.loads(body).items() if name != "model"}
    return write_json({"custom_id": custom_id, "body": fields}) + b"\n"


def read_field(reply: Any, name: str) -> Any:
    """A field that has to be there. Raises BadReplyError."""
    try:
        return reply[name]
    except (LookupError, TypeError) as error:
        raise BadReplyError(f"a reply without {name!r}: {str(reply)[:200]}") from error


def read_result(line: bytes) -> tuple[str, dict[str, Any]]:
    """The custom id in a line of results, and all of the line. Raises BadReplyError."""
    try:
        value = orjson.loads(line)
        return value["custom_id"], value
    except (orjson.JSONDecodeError, LookupError, TypeError) as error:
        raise BadReplyError(f"a result that cannot be read: {line[:200]!r}") from error


def read_status(
    name: str, known: Mapping[str, BatchStatus], ended: BatchStatus | None = None
) -> BatchStatus:
    """The status for a provider's name of it. For a name that is not known here, `ended`, which
    other fields of the reply may show, or else IN_PROGRESS.
    """
    if name in known:
        return known[name]
    status = ended or BatchStatus.IN_PROGRESS
    logger.warning("a batch is %r, a status that is not known here; taken as %s", name, status)
    return status


def read_time(value: Any) -> datetime | None:
    """From seconds since the epoch or ISO 8601."""
    if isinstance(value, int | float) and value:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value).astimezone(UTC)
    return None


def output_may_follow(info: BatchInfo) -> bool:
    """Whether a batch that has ended may still get output."""
    return info.completed_at is None or datetime.now(UTC) - info.completed_at < _MAX_OUTPUT_DELAY


def is_output_missing(info: BatchInfo, answers: int, *, has_files: bool) -> bool:
    """Whether output of a batch that gave so many answers may still be on its way."""
    is_without_files = info.status == BatchStatus.COMPLETED and not has_files
    is_short = answers < info.completed_requests
    return (is_short or is_without_files) and output_may_follow(info)
