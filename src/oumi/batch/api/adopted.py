"""Batches that another program made: their job folder is filled from their own input file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from oumi.batch.api.providers.base import ApiBatch, BatchApi, BatchRequest
from oumi.batch.job_folder import JobFolder
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation
from oumi.errors import UnsupportedError
from oumi.runner.storage.atomic import atomic_file

_ROLES = {"developer": "system"}
"""Roles of APIs that have another name here."""


async def download(api: BatchApi, batch: ApiBatch, folder: JobFolder) -> int:
    """Write the requests of a batch to a folder, and return how many there are.

    Raises UnsupportedError for a batch of anything but conversations.
    """
    endpoint = str(batch.raw.get("endpoint") or "")
    if endpoint and not endpoint.endswith("/chat/completions"):
        raise UnsupportedError(f"{batch.info.id} asks {endpoint}, which gives no conversations")
    count = 0
    with atomic_file(_requests_path(folder), "Nothing was changed") as file:
        async for request in api.requests(batch):
            file.write(write_json({"custom_id": request.custom_id, "body": request.body}) + b"\n")
            count += 1
    return count


def conversations(folder: JobFolder) -> Iterator[bytes]:
    """The conversations that the requests ask for, as JSON."""
    for request in _requests(folder):
        yield write_json(_conversation(request))


def read_bodies(folder: JobFolder) -> Iterator[bytes]:
    """The bodies of the requests, in the order of the rows."""
    for request in _requests(folder):
        yield write_json(request.body)


def read_rows(folder: JobFolder) -> dict[str, int]:
    """The row of each custom id."""
    return {request.custom_id: row for row, request in enumerate(_requests(folder))}


def model_of(folder: JobFolder) -> str | None:
    """The model that the first request asks for."""
    first = next(_requests(folder), None)
    return first.body.get("model") if first else None


def _conversation(request: BatchRequest) -> dict[str, Any]:
    """The conversation of a request. One that cannot be expressed here stays as it is, and fails
    as a row of the input.
    """
    messages = [
        {**message, "role": _ROLES.get(message.get("role"), message.get("role"))}
        for message in request.body.get("messages", ())
    ]
    value = {"conversation_id": request.custom_id, "messages": messages}
    if request.body.get("tools"):
        value["tools"] = request.body["tools"]
    try:
        return Conversation.model_validate(value).to_dict()
    except ValidationError:
        return value


def _requests(folder: JobFolder) -> Iterator[BatchRequest]:
    with _requests_path(folder).open("rb") as file:
        for line in file:
            yield BatchRequest(**orjson.loads(line))


def _requests_path(folder: JobFolder) -> Path:
    return folder.path / "requests.jsonl"
