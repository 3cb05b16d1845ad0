"""Google's API of files, and how Google's own endpoints are reached from its chat API.

https://ai.google.dev/gemini-api/docs/files
https://ai.google.dev/api/files#method:-media.upload
"""

from __future__ import annotations

from pathlib import Path

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.errors import BadReplyError
from oumi.backends.remote.http.uploads import File
from oumi.batch.api.providers.facts import read_field, read_object
from oumi.core.json_text import read_json_leniently, write_json
from oumi.runner.limits.retry import retrying

_JSONL = "application/jsonl"
_BEARER = "Bearer "


def native_client(client: ApiClient) -> ApiClient:
    """A client for the endpoints beside the chat API, where a key has a header of its own."""
    headers = dict(client.session.headers)
    key = headers.get("authorization", "")
    if client.session.address.has_key and key.startswith(_BEARER):
        del headers["authorization"]
        headers["x-goog-api-key"] = key.removeprefix(_BEARER)
    base = client.session.address.bases[0].removesuffix("/openai")
    return client.at(base, headers)


async def upload_file(client: ApiClient, file: Path, name: str) -> str:
    """Upload a file of JSON lines, and return the name that the API gives to it.

    Retried as the settings allow: a file that came twice costs nothing.
    """
    return await retrying(lambda: _upload(client, file, name), client.session.retry_policy)


async def _upload(client: ApiClient, file: Path, name: str) -> str:
    """The protocol of resumable uploads, with the whole file in its one step."""
    root, _, version = client.base.rpartition("/")
    content = File(file)
    start = await client.at(f"{root}/upload/{version}").exchange(
        "/files",
        write_json({"file": {"display_name": name}}),
        {
            "x-goog-upload-protocol": "resumable",
            "x-goog-upload-command": "start",
            "x-goog-upload-header-content-length": str(content.size),
            "x-goog-upload-header-content-type": _JSONL,
        },
    )
    url = start.headers.get("x-goog-upload-url")
    if not url:
        raise BadReplyError("an upload without an address to go to", start.body)
    step = {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
    reply = await client.exchange(url, content, step, signed=True)
    value = read_object(read_json_leniently(reply.body))
    return str(read_field(read_object(value.get("file")), "name"))
