"""The lines of a batch's files: results, and the requests of batches that others made.

Files have lines that are torn or otherwise not what they should be, beside answers that are paid
for. So nothing in one line may stop the others: what cannot be read is a failure of its row, and
keeps the line.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from oumi.backends.remote.errors import UnreadableAnswerError
from oumi.batch.api.custom_ids import find_id
from oumi.batch.api.providers.base import (
    ApiBatch,
    BatchRequest,
    BatchResult,
    OutputCutError,
    OutputNotReadyError,
)
from oumi.batch.api.providers.facts import read_object
from oumi.batch.api.providers.shared import NOT_THERE, is_output_missing, output_may_follow
from oumi.core.json_text import read_json_leniently
from oumi.core.logs import logger
from oumi.core.types.batch import BatchInfo
from oumi.core.types.failure import Failure
from oumi.errors import RequestError

ReadOutcome = Callable[[Mapping[str, Any]], bytes | Failure]
"""Reads the body of the reply in a line, or why there is none. May raise whatever it meets."""

ReadId = Callable[[Mapping[str, Any]], str]
"""Reads the custom id of a request in the line of its result. May raise whatever it meets."""

_CUSTOM_ID = re.compile(rb'"custom_id"\s*:\s*("(?:[^"\\]|\\.)*"|\d+)')
_SHOWN = 200


async def read_results(
    batch: ApiBatch,
    files: Iterable[AsyncGenerator[bytes]],
    read_outcome: ReadOutcome,
    read_id: ReadId | None = None,
) -> AsyncGenerator[BatchResult]:
    """The results in all lines of a batch's files of answers and of errors. Without `read_id` each
    names its request as `custom_id`.

    Raises OutputNotReadyError after them where there are fewer than the provider counts, and
    OutputCutError where the last line of a file cannot be read.
    """
    answers = failures = 0
    has_files = is_cut = False
    for lines in files:
        has_files, result = True, None
        async with aclosing(_lines_that_are_there(lines, batch.info)) as existing:
            async for line in existing:
                result = read_result(line, read_outcome, read_id or read_custom_id)
                answers += result.body is not None
                failures += result.failure is not None
                yield result
        is_cut = is_cut or (result is not None and result.is_torn)
    if is_output_missing(batch.info, answers, failures, has_files=has_files):
        expected = batch.info.completed_requests or "its"
        raise OutputNotReadyError(f"{answers} of {expected} answers are there")
    if is_cut:
        raise OutputCutError("the last line of its output is torn")


async def _lines_that_are_there(
    lines: AsyncGenerator[bytes], info: BatchInfo
) -> AsyncGenerator[bytes]:
    """The lines of a file; none of one that is still not there long after the batch has ended."""
    try:
        async with aclosing(lines):
            async for line in lines:
                yield line
    except RequestError as error:
        if error.status not in NOT_THERE:
            raise
        if output_may_follow(info):
            raise OutputNotReadyError("a file of its output is not there") from error
        logger.warning("%s: a file of its output is gone, and what was in it", info.id)


def read_result(line: bytes, read_outcome: ReadOutcome, read_id: ReadId) -> BatchResult:
    """The result in a line, whatever the line holds."""
    try:
        value = read_json_leniently(line)
    except ValueError:
        return _unreadable(line, "that is not JSON", is_torn=True)
    try:
        custom_id, outcome = read_id(value), read_outcome(value)
    except Exception as error:  # of whatever kind: it must not stop the other lines
        return _unreadable(line, f"in a strange form ({type(error).__name__}: {error})")
    if isinstance(outcome, Failure):
        return BatchResult(custom_id, line, failure=outcome)
    return BatchResult(custom_id, line, body=outcome)


def read_request(line: bytes) -> BatchRequest:
    """The request in a line, whatever the line holds: without a body where that is no object."""
    try:
        value = read_json_leniently(line)
        return BatchRequest(read_custom_id(value), dict(read_object(value.get("body"))))
    except (AttributeError, LookupError, TypeError, ValueError):
        return BatchRequest(find_custom_id(line), {})


def read_custom_id(value: Mapping[str, Any]) -> str:
    """The custom id in a line; a number is as good as its digits. Raises LookupError."""
    custom_id = value["custom_id"]
    if isinstance(custom_id, bool) or not isinstance(custom_id, str | int):
        raise LookupError("no custom_id")
    return str(custom_id)


def find_custom_id(line: bytes) -> str:
    """The custom id in the text of a line that is not JSON, or names none; empty if there is none.

    One that is made here is known wherever it stands.
    """
    match = _CUSTOM_ID.search(line)
    try:
        return str(read_json_leniently(match[1])) if match else find_id(line)
    except ValueError:  # an escape that JSON does not have
        return find_id(line)


def _unreadable(line: bytes, what: str, *, is_torn: bool = False) -> BatchResult:
    shown = line[:_SHOWN].decode(errors="replace")
    error = UnreadableAnswerError(f"a result {what}: {shown}", line)
    failure = Failure.from_error(error)
    return BatchResult(find_custom_id(line), line, failure=failure, is_torn=is_torn)
