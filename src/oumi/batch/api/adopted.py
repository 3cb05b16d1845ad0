"""Batches that another program made: their job folder is filled from their own input file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from oumi.batch.api.adopted_input import read_input, read_tools
from oumi.batch.api.providers.base import ApiBatch, BatchApi, BatchRequest
from oumi.batch.job_folder import JobFolder
from oumi.core.configs import Api
from oumi.core.json_text import write_json
from oumi.core.types.conversation import Conversation
from oumi.errors import UnsupportedError
from oumi.runner.storage.atomic import atomic_file

_APIS = {"/chat/completions": Api.CHAT, "/responses": Api.RESPONSES}
"""What the endpoint of a batch of conversations ends with."""
_ROLES = {"developer": "system"}
"""Roles of APIs that have another name here."""


async def download(api: BatchApi, batch: ApiBatch, folder: JobFolder) -> int:
    """Write the requests of a batch to a folder, and return how many there are.

    Raises UnsupportedError for a batch of anything but conversations.
    """
    endpoint = batch.raw.get("endpoint")
    if endpoint and api_of(batch) is None:
        raise UnsupportedError(f"{batch.info.id} asks {endpoint}, which gives no conversations")
    count = 0
    with atomic_file(_requests_path(folder), "Nothing was changed") as file:
        async for request in api.requests(batch):
            file.write(write_json({"custom_id": request.custom_id, "body": request.body}) + b"\n")
            count += 1
    return count


def api_of(batch: ApiBatch) -> Api | None:
    """The API that a batch asks; None where the provider does not say."""
    endpoint = str(batch.raw.get("endpoint") or "")
    return next((api for end, api in _APIS.items() if endpoint.endswith(end)), None)


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
    named = ((row, request.custom_id) for row, request in enumerate(_requests(folder)))
    return {custom_id: row for row, custom_id in named if custom_id}


def model_of(folder: JobFolder) -> str | None:
    """The model that the first request asks for."""
    first = next(_requests(folder), None)
    model = first.body.get("model") if first else None
    return model if isinstance(model, str) else None


def _conversation(request: BatchRequest) -> dict[str, Any]:
    """The conversation of a request. One that cannot be expressed here stays as it is, and fails
    as a row of the input.
    """
    messages, tools = request.body.get("messages"), request.body.get("tools")
    if "input" in request.body:  # of the Responses API
        messages, tools = read_input(request.body), read_tools(tools)
    if isinstance(messages, list):
        messages = [_with_known_role(message) for message in messages]
    value = {"conversation_id": request.custom_id, "messages": messages}
    if tools:
        value["tools"] = tools
    try:
        return Conversation.model_validate(value).to_dict()
    except ValidationError:
        return value


def _with_known_role(message: Any) -> Any:
    role = message.get("role") if isinstance(message, dict) else None
    return {**message, "role": _ROLES.get(role, role)} if isinstance(role, str) else message


def _requests(folder: JobFolder) -> Iterator[BatchRequest]:
    with _requests_path(folder).open("rb") as file:
        for line in file:
            yield BatchRequest(**orjson.loads(line))


def _requests_path(folder: JobFolder) -> Path:
    return folder.path / "requests.jsonl"
