"""What batches of an endpoint's requests have of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.failure import Failure
from oumi.server.http.errors import HttpError
from oumi.server.openai_errors import error_body
from oumi.server.query import Query

if TYPE_CHECKING:
    from oumi.server.models import Model


@dataclass(frozen=True, slots=True)
class ResultLines:
    """The lines of a job's requests that were answered, and of those that were not."""

    answers: Iterable[bytes]
    errors: Iterable[bytes]


class BatchEndpoint(Protocol):
    """Reads the requests of an endpoint, and has jobs work on them."""

    def read(self, body: bytes) -> Query:
        """The query in the body of a line. Raises HttpError, which names the field."""
        ...

    def check(self, model: Model, query: Query) -> None:
        """Raise HttpError for settings that the model's engine cannot honour."""
        ...

    def submit(self, model: Model, query: Query, path: Path, window: str) -> Awaitable[str]:
        """Submit the conversations in a file, under the settings of a query. Returns the id of the
        job. Raises HttpError for what the engine's batches do not take.
        """
        ...

    def results(self, model: Model, job_id: str, path: Path) -> Awaitable[ResultLines]:
        """What became of the conversations in a file."""
        ...


def line_of(custom_id: str, status: int, body: Mapping[str, Any]) -> bytes:
    """A line of a file of results.

    https://platform.openai.com/docs/api-reference/batch/request-output
    """
    response = {"status_code": status, "request_id": body.get("id", ""), "body": body}
    line = {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response}
    return write_json({**line, "error": None}) + b"\n"


def error_line(custom_id: str, failure: Failure) -> bytes:
    """The line of a request that has no answer, with the status of the last reply, or one that says
    as much.
    """
    status = failure.status_code or (503 if failure.is_retryable else 400)
    error = HttpError(status, failure.error_message, code=failure.error_class)
    return line_of(custom_id, status, parse_json(error_body(error, "")))
