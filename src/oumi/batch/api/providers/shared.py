"""What several families have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from oumi.backends.remote.errors import BadReplyError
from oumi.batch.api.providers import ApiBatch, NoRoomError
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo, BatchStatus
from oumi.errors import InputError, ModelNotFoundError, RequestError, UnavailableError

_LONGEST_LAG = timedelta(hours=1)


@contextmanager
def known_batch(engine: str, batch_id: str) -> Iterator[None]:
    """Say of an id that is not known what it is that is not."""
    try:
        yield
    except ModelNotFoundError as error:
        raise InputError(f"{engine} knows no batch {batch_id}") from error


@contextmanager
def room_told_by_429() -> Iterator[None]:
    """Take a rate limit, where a batch is started, for a want of room. Raises NoRoomError."""
    try:
        yield
    except UnavailableError as error:
        if error.status == 429:
            raise NoRoomError(str(error)) from error
        raise


async def cancel_unless_ended(
    cancel: Callable[[], Awaitable[ApiBatch]], retrieve: Callable[[], Awaitable[ApiBatch]]
) -> ApiBatch:
    """Stop a batch; one that ended before it could be stopped stays as it is."""
    try:
        return await cancel()
    except (RequestError, UnavailableError):
        batch = await retrieve()
        if not batch.info.is_terminal:
            raise
        return batch


def line_without_model(custom_id: str, body: bytes) -> bytes:
    """A request as a line of a file whose model is named by the job."""
    value = {name: told for name, told in orjson.loads(body).items() if name != "model"}
    return orjson.dumps({"custom_id": custom_id, "body": value}) + b"\n"


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
    word: str, known: Mapping[str, BatchStatus], ended: BatchStatus | None = None
) -> BatchStatus:
    """The code for a provider's word; for one that is not known here, what else is told."""
    if word in known:
        return known[word]
    status = ended or BatchStatus.IN_PROGRESS
    logger.warning("a batch is %r, a word that is not known here; taken as %s", word, status)
    return status


def read_time(value: Any) -> datetime | None:
    """From seconds since the epoch or ISO 8601."""
    if isinstance(value, int | float) and value:
        return datetime.fromtimestamp(value, UTC)
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value).astimezone(UTC)
    return None


def may_lag(info: BatchInfo, answers: int, *, has_files: bool) -> bool:
    """Whether results may still be on their way; what is missing long after the end stays so."""
    if info.completed_at and datetime.now(UTC) - info.completed_at >= _LONGEST_LAG:
        return False
    ended_without = info.status == BatchStatus.COMPLETED and not has_files
    return answers < info.completed_requests or ended_without
