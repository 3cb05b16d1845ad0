"""The answers of a job as the lines of a batch's files.

https://platform.openai.com/docs/api-reference/batch/request-output
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from oumi.core.json_text import parse_json, write_json
from oumi.core.types.completion import Completion
from oumi.core.types.conversation import Conversation
from oumi.core.types.failure import Failure
from oumi.core.types.result import InferenceResult
from oumi.server.http.errors import HttpError
from oumi.server.openai_errors import error_body
from oumi.server.query import Answer, Api, Query

_OF_ANSWER = ("usage", "finish_reason", "logprobs")


def answer_lines(
    result: InferenceResult, ids: Sequence[str], model: str, api: Api
) -> Iterator[bytes]:
    """A line for each row that has an answer, in the form of the API that was asked."""
    for row, conversation in zip(result.rows, result.conversations, strict=True):
        query = Query(model, conversation, facts=conversation.metadata)
        body = api.reply(query, Answer(model, [_completion(conversation)]))
        yield _line(ids[row], 200, parse_json(body))


def error_lines(result: InferenceResult, ids: Sequence[str]) -> Iterator[bytes]:
    """A line for each row that has none."""
    for row in result.failures:
        failure = result.failures[row]
        status = _status(failure)
        error = HttpError(status, failure.error_message, code=failure.error_class)
        yield _line(ids[int(row)], status, parse_json(error_body(error, "")))


def _completion(conversation: Conversation) -> Completion:
    """The answer, from its message and from what the conversation says of it."""
    facts = conversation.metadata
    message = conversation.messages[-1].to_dict()
    kept: dict[str, Any] = {name: facts[name] for name in _OF_ANSWER if name in facts}
    return Completion.from_dict({"message": message, **kept})


def _status(failure: Failure) -> int:
    """The status of the last reply, or one that says as much."""
    return failure.status_code or (503 if failure.is_retryable else 400)


def _line(custom_id: str, status: int, body: dict[str, Any]) -> bytes:
    response = {"status_code": status, "request_id": body.get("id", ""), "body": body}
    line = {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response}
    return write_json({**line, "error": None}) + b"\n"
