"""An S3 server in a process of its own: moto's, which keeps objects in memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Any, Self

import boto3
from botocore.config import Config

_SERVER = "import sys; from moto.server import main; main(sys.argv[1:])"
_ADDRESS = re.compile(r"http://[\d.]+:\d+")
_KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


class ObjectStore:
    """Alive inside `with`; `env` is what its clients need. With `checks_keys` it takes only those
    of its own users.
    """

    def __init__(self, *, checks_keys: bool = False):
        self._given = {"INITIAL_NO_AUTH_ACTION_COUNT": "0"} if checks_keys else {}

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile("w+")  # a line a request, which would fill a pipe
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _SERVER, "-H", "127.0.0.1", "-p", "0"],
            env={**os.environ, **self._given},
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )
        address = self._address()
        self.env = {"AWS_ENDPOINT_URL": address, **_KEYS}
        self._client = boto3.client(
            "s3",
            endpoint_url=address,
            region_name=_KEYS["AWS_REGION"],
            aws_access_key_id=_KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=_KEYS["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 1}),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self.go_away()

    def go_away(self) -> None:
        """End the server: nothing listens there any more."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def send_signal(self, number: int) -> None:
        """Stop the server, or have it go on."""
        self._process.send_signal(number)

    def make_bucket(self, name: str) -> str:
        """A bucket that remembers all versions of an object; its URL."""
        self._client.create_bucket(Bucket=name)
        versioning = {"Status": "Enabled"}
        self._client.put_bucket_versioning(Bucket=name, VersioningConfiguration=versioning)
        return f"s3://{name}"

    def remove_bucket(self, name: str) -> None:
        """With all that is in it."""
        found = self._versions(name)
        for version in found:
            at = {"Key": version["Key"], "VersionId": version["VersionId"]}
            self._client.delete_object(Bucket=name, **at)
        self._client.delete_bucket(Bucket=name)

    def objects(self, bucket: str) -> dict[str, bytes]:
        """What is in a bucket, by key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        return {key: self._read(bucket, key) for key in keys}

    def writes(self, bucket: str) -> Counter[str]:
        """How often each object was written, but for marks of folders."""
        keys = (version["Key"] for version in self._versions(bucket))
        return Counter(key for key in keys if not key.endswith("/"))

    def put(self, bucket: str, key: str, data: bytes) -> None:
        """Write an object."""
        self._client.put_object(Bucket=bucket, Key=key, Body=data)

    def _address(self) -> str:
        """Where the server listens, as soon as it says so."""
        while (found := _ADDRESS.search(self._said())) is None:
            if self._process.poll() is not None:
                raise RuntimeError(f"the server did not start: {self._said()}")
            time.sleep(0.05)
        return found[0]

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def _read(self, bucket: str, key: str) -> bytes:
        body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
        with body:
            data: bytes = body.read()
        return data

    def _versions(self, bucket: str) -> list[dict[str, Any]]:
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=bucket)
        return [version for page in pages for version in page.get("Versions", ())]
