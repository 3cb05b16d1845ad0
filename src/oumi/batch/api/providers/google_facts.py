"""Lists, states and errors of Google's jobs, which are the same in all of its APIs.

https://cloud.google.com/vertex-ai/docs/reference/rest/v1/JobState
https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any
from urllib.parse import quote

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.errors import BadReplyError, to_error
from oumi.batch.api.providers.facts import (
    error_text,
    read_number,
    read_object,
    read_objects,
    read_status,
)
from oumi.batch.failures import failure_of
from oumi.core.json_text import write_json
from oumi.core.types.batch import BatchStatus
from oumi.core.types.failure import Failure

_STATUSES = {
    "pending": BatchStatus.VALIDATING,
    "queued": BatchStatus.VALIDATING,
    "running": BatchStatus.IN_PROGRESS,
    "paused": BatchStatus.IN_PROGRESS,
    "updating": BatchStatus.IN_PROGRESS,
    "cancelling": BatchStatus.CANCELLING,
    "succeeded": BatchStatus.COMPLETED,
    "partially_succeeded": BatchStatus.COMPLETED,
    "failed": BatchStatus.FAILED,
    "expired": BatchStatus.EXPIRED,
    "cancelled": BatchStatus.CANCELLED,
}
"""By what follows `BATCH_STATE_` or `JOB_STATE_`."""

_HTTP_STATUS = {3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 11: 400, 13: 500, 14: 503, 16: 401}


async def read_pages(client: ApiClient, path: str, name: str) -> AsyncGenerator[Any]:
    """The values of a list, which is called `name`, page by page. `path` ends in a query."""
    token = ""
    while True:
        reply = read_object(await client.get(f"{path}{token}"))
        for value in read_objects(reply.get(name)):
            yield value
        if not (following := reply.get("nextPageToken")):
            return
        token = f"&pageToken={quote(str(following), safe='')}"


def read_state(text: str, *, has_failed: bool) -> BatchStatus:
    """The status that a state of a job means; one that is not known has failed or goes on."""
    name = text.rpartition("_STATE_")[2].lower()
    return read_status(name, _STATUSES, BatchStatus.FAILED if has_failed else None)


def read_failure(error: Mapping[str, Any], engine: str) -> Failure:
    """Why a row has no answer, by its `google.rpc.Status`. Raises BadReplyError for none."""
    code = read_number(error.get("code"))
    if code is None:
        if not error:
            raise BadReplyError("neither an answer nor an error")
        return failure_of(error)
    status = _HTTP_STATUS.get(int(code), int(code))
    body = write_json({"error": {"code": status, "message": error_text(error)}})
    return Failure.from_error(to_error(status, body, None, engine, "the key"))
