"""Batches that another program made: a folder is made for them from their own input file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from oumi.batch.api.providers import ApiBatch, BatchApi, BatchRequest
from oumi.batch.job_folder import JobFolder
from oumi.core.types.conversation import Conversation
from oumi.errors import UnsupportedError
from oumi.runner.storage.atomic import atomic_file

_NAMES = {"developer": "system"}
"""Roles of the API by the names that they have here."""


async def download(api: BatchApi, batch: ApiBatch, folder: JobFolder) -> int:
    """Write the requests of a batch to a folder. Returns how many there are."""
    endpoint = str(batch.facts.get("endpoint") or "")
    if endpoint and not endpoint.endswith("/chat/completions"):
        raise UnsupportedError(f"{batch.info.id} asks {endpoint}, which gives no conversations")
    count = 0
    kept = "Nothing was changed"
    with atomic_file(_requests_path(folder), kept) as file:
        async for asked in api.asked(batch):
            file.write(orjson.dumps({"custom_id": asked.custom_id, "body": asked.body}) + b"\n")
            count += 1
    return count


def conversations(folder: JobFolder) -> Iterator[bytes]:
    """The conversations that the requests ask for, as JSON."""
    for asked in _requests(folder):
        yield orjson.dumps(_conversation(asked))


def read_bodies(folder: JobFolder) -> Iterator[bytes]:
    """The bodies of the requests, in the order of the rows."""
    for asked in _requests(folder):
        yield orjson.dumps(asked.body)


def read_rows(folder: JobFolder) -> dict[str, int]:
    """The row of each custom id."""
    return {asked.custom_id: row for row, asked in enumerate(_requests(folder))}


def model_of(folder: JobFolder) -> str | None:
    """The model that the first request asks for."""
    first = next(_requests(folder), None)
    return first.body.get("model") if first else None


def _conversation(asked: BatchRequest) -> dict[str, Any]:
    """As far as it can be told: a row that is no conversation here says so when it is read."""
    messages = [
        {**message, "role": _NAMES.get(message.get("role"), message.get("role"))}
        for message in asked.body.get("messages", ())
    ]
    value = {"conversation_id": asked.custom_id, "messages": messages}
    if asked.body.get("tools"):
        value["tools"] = asked.body["tools"]
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
