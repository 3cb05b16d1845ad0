"""The bucket that lies between us and an API that reads and writes batches there.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from oumi.backends.remote.api_client import ApiClient
from oumi.backends.remote.auth import open_bucket_auth
from oumi.backends.remote.auth.aws import region_of
from oumi.backends.remote.http.uploads import File
from oumi.batch.api.providers.base import ApiBatch, BatchResult
from oumi.batch.api.providers.google_facts import read_pages
from oumi.batch.api.providers.result_lines import ReadId, ReadOutcome, read_results
from oumi.errors import ConfigError
from oumi.runner.limits.retry import retrying

_JSONL = {"content-type": "application/jsonl"}
_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""What AWS's own clients read: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html"""
_GCS = "https://storage.googleapis.com"
_GCS_ENDPOINT = "STORAGE_EMULATOR_HOST"
"""What Google's own clients read."""
_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_NEXT = re.compile(rb"<NextContinuationToken>([^<]*)</NextContinuationToken>")


class Place(NamedTuple):
    """A place in a bucket."""

    scheme: str
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """As APIs name it."""
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def below(self, name: str) -> Place:
        """A place in the folder that this one is."""
        return self._replace(key="/".join(filter(None, [self.key.rstrip("/"), name])))


def read_place(uri: str, scheme: str, engine: str) -> Place:
    """The place that a URI names. Raises ConfigError for a bucket of another service."""
    parts = urlsplit(uri)
    if parts.scheme != scheme:
        raise ConfigError(
            f"remote_params.batch_storage: {uri}, and {engine} takes {scheme}://bucket/folder"
        )
    return Place(scheme, parts.netloc, parts.path.lstrip("/"))


class Bucket(Protocol):
    """Files in a bucket. Each call raises the errors of oumi.errors."""

    async def put(self, file: Path, place: Place) -> None:
        """Copy a file there."""
        ...

    async def list(self, place: Place) -> list[Place]:
        """All files whose keys begin as that of the place."""
        ...

    def lines(self, place: Place) -> AsyncGenerator[bytes]:
        """The lines of a file, as they arrive."""
        ...


class S3Bucket:
    """Files in S3, by path below an endpoint that is named, or else below the bucket's own host."""

    def __init__(self, client: ApiClient, bucket: str, region: str):
        named = next(filter(None, map(os.environ.get, _S3_ENDPOINTS)), "")
        base = f"https://{bucket}.s3.{region}.amazonaws.com"
        auth = open_bucket_auth(client.session.provider, region)
        self._client = client.at(
            f"{named.rstrip('/')}/{bucket}" if named else base, dict(_JSONL), auth
        )

    async def put(self, file: Path, place: Place) -> None:
        """Copy a file there, in one call: it may be 5 GB long."""
        await retrying(
            lambda: self._client.exchange(_path(place), File(file), {}, method="PUT"),
            self._client.session.retry_policy,
        )

    async def list(self, place: Place) -> list[Place]:
        """All files whose keys begin as that of the place."""
        found: list[Place] = []
        after = ""
        while True:
            # In the order of their names, as a signature wants them.
            query = f"?{after}list-type=2&prefix={quote(place.key, safe='')}"
            reply = await self._client.exchange(f"/{query}", b"", {}, method="GET")
            keys = [html.unescape(key.decode()) for key in _KEY.findall(reply.body)]
            found += [place._replace(key=key) for key in keys]
            following = _NEXT.search(reply.body)
            if following is None:
                return found
            after = f"continuation-token={quote(html.unescape(following[1].decode()), safe='')}&"

    def lines(self, place: Place) -> AsyncGenerator[bytes]:
        """The lines of a file, as they arrive."""
        return self._client.lines(_path(place))


class GcsBucket:
    """Files in Google's Cloud Storage, by its JSON API, under the credentials of the session."""

    def __init__(self, client: ApiClient, bucket: str):
        self._client = client.at(os.environ.get(_GCS_ENDPOINT) or _GCS)
        self._objects = f"/storage/v1/b/{quote(bucket, safe='')}/o"

    async def put(self, file: Path, place: Place) -> None:
        """Copy a file there, in one call."""
        path = f"/upload{self._objects}?uploadType=media&name={quote(place.key, safe='')}"
        await retrying(
            lambda: self._client.exchange(path, File(file), _JSONL),
            self._client.session.retry_policy,
        )

    async def list(self, place: Place) -> list[Place]:
        """All files whose keys begin as that of the place."""
        path = f"{self._objects}?prefix={quote(place.key, safe='')}"
        items = read_pages(self._client, path, "items")
        return [place._replace(key=str(item.get("name"))) async for item in items]

    def lines(self, place: Place) -> AsyncGenerator[bytes]:
        """The lines of a file, as they arrive."""
        return self._client.lines(f"{self._objects}/{quote(place.key, safe='')}?alt=media")


def open_s3(client: ApiClient, place: Place) -> S3Bucket:
    """The bucket of a place, in the region of the session's API."""
    return S3Bucket(client, place.bucket, region_of(client.session.address.bases[0]))


async def read_folder(
    batch: ApiBatch,
    bucket: Bucket,
    folder: Place,
    suffix: str,
    read_outcome: ReadOutcome,
    read_id: ReadId,
) -> AsyncGenerator[BatchResult]:
    """The results in all files of a folder that end in `suffix`; none before the batch has ended.
    Raises as `read_results` does.
    """
    places: list[Place] = []
    if batch.info.is_terminal:
        places = [place for place in await bucket.list(folder) if place.key.endswith(suffix)]
    read = read_results(batch, map(bucket.lines, places), read_outcome, read_id)
    async with aclosing(read) as results:
        async for result in results:
            yield result


def _path(place: Place) -> str:
    return f"/{quote(place.key, safe='/')}"
