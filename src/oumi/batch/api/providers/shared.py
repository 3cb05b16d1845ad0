"""What several families of batch APIs have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import orjson

from oumi.batch.api.providers.base import ApiBatch, QueueFullError, UnknownBatchError
from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.errors import RequestError, UnavailableError, UnsupportedError

# Output files appear seconds, at times minutes after a batch has ended. What is still missing after
# an hour is taken to be missing for good, so that a job can be finished without it.
_MAX_OUTPUT_DELAY = timedelta(hours=1)
NOT_THERE = (404, 410)
"""The statuses of what does not exist, or no longer."""


@contextmanager
def batch_must_exist(engine: str, batch_id: str) -> Iterator[None]:
    """Raise UnknownBatchError, which names the batch, where the provider has nothing there."""
    try:
        yield
    except RequestError as error:
        if error.status not in NOT_THERE:
            raise
        raise UnknownBatchError(f"{engine} knows no batch {batch_id}") from error


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
    engine: str,
    batch_id: str,
    cancel: Callable[[str], Awaitable[ApiBatch]],
    retrieve: Callable[[str], Awaitable[ApiBatch]],
) -> ApiBatch:
    """Stop a batch; one that has ended, which makes `cancel` fail, stays as it is.

    Raises UnknownBatchError.
    """
    with batch_must_exist(engine, batch_id):
        try:
            return await cancel(batch_id)
        except (RequestError, UnavailableError):
            batch = await retrieve(batch_id)
            if not batch.info.is_terminal:
                raise
            return batch


def requests_not_told(batch: ApiBatch, engine: str) -> UnsupportedError:
    """Why the requests of another program's batch are not known: the API does not return them."""
    return UnsupportedError(
        f"{batch.info.id} was not submitted from here, and {engine} does not tell what was asked "
        "in it"
    )


def requests_of_other_form(batch: ApiBatch) -> UnsupportedError:
    """The same where they can be read, but have no way back into conversations."""
    return UnsupportedError(
        f"{batch.info.id} was not submitted from here: what was asked in it lies at "
        f"{batch.upload}, in the form of another program"
    )


def line_without_model(custom_id: str, body: bytes) -> bytes:
    """A request as a line of a file whose model is named by the job."""
    fields = {name: value for name, value in orjson.loads(body).items() if name != "model"}
    return write_json({"custom_id": custom_id, "body": fields}) + b"\n"


def output_may_follow(info: BatchInfo) -> bool:
    """Whether a batch that has ended may still get output."""
    return info.completed_at is None or datetime.now(UTC) - info.completed_at < _MAX_OUTPUT_DELAY


def is_output_missing(info: BatchInfo, answers: int, failures: int, *, has_files: bool) -> bool:
    """Whether output of a batch that gave so many results may still be on its way.

    Rows that failed may be counted as completed, so both count together.
    """
    ended = info.completed_requests + info.failed_requests
    is_short = answers < info.completed_requests and answers + failures < ended
    is_without_files = info.status == BatchStatus.COMPLETED and not has_files
    return (is_short or is_without_files) and output_may_follow(info)
