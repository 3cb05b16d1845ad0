"""Buckets in the shape of S3, below `/s3`, and of Google's Cloud Storage: files, and lists of them.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import parse_qs, unquote
from xml.sax.saxutils import escape

from tests.fault_server import answers
from tests.fault_server.answers import Answer
from tests.fault_server.jobs import Given, google_error, json_answer
from tests.fault_server.plan import Plan

_S3 = re.compile(r"/s3/([\w.-]+)(?:/(.*))?$")
_GCS = re.compile(r"(/upload)?/storage/v1/b/([\w.-]+)/o(?:/(.*))?$")


class Buckets:
    """Owns files, by what APIs call them."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Any] = {}

    def answer(
        self, method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> Answer | None:
        """The answer to a request of this API; None for any other path."""
        bare, _, query = path.decode().partition("?")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        given = {name.lower(): value for name, value in headers}
        if match := _S3.match(bare):
            return self._s3(method.decode(), match[1], unquote(match[2] or ""), asked, given, body)
        if match := _GCS.match(bare):
            return self._gcs(match[2], unquote(match[3] or ""), asked, body, bool(match[1]))
        return None

    def told(self) -> dict[str, Any]:
        """The names of the files."""
        return {"buckets": sorted(self.files)} if self.files else {}

    def _s3(
        self, method: str, bucket: str, key: str, asked: dict[str, str], given: Given, body: bytes
    ) -> Answer:
        if (problem := _unsigned(given, body)) is not None:
            return answers.plain(403, _xml_error("AccessDenied", problem))
        uri = f"s3://{bucket}/{key}"
        if method == "PUT":
            self.files[uri] = body
            return answers.plain(200, b"", {"etag": '"x"'})
        if not key:
            return self._s3_list(f"s3://{bucket}/", asked)
        if uri in self.files:
            return answers.plain(200, self.files[uri], {"content-type": "application/octet-stream"})
        return answers.plain(404, _xml_error("NoSuchKey", "The specified key does not exist."))

    def _s3_list(self, root: str, asked: dict[str, str]) -> Answer:
        shown, more = self._page(root, asked.get("prefix", ""), asked.get("continuation-token"))
        keys = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in shown)
        token = f"<NextContinuationToken>{more}</NextContinuationToken>" if more else ""
        return answers.plain(200, f"<ListBucketResult>{keys}{token}</ListBucketResult>".encode())

    def _gcs(
        self, bucket: str, key: str, asked: dict[str, str], body: bytes, is_upload: bool
    ) -> Answer:
        if is_upload:
            self.files[f"gs://{bucket}/{asked['name']}"] = body
            return json_answer({"name": asked["name"], "bucket": bucket})
        if not key:
            shown, more = self._page(
                f"gs://{bucket}/", asked.get("prefix", ""), asked.get("pageToken")
            )
            following = {"nextPageToken": more} if more else {}
            return json_answer({"items": [{"name": key} for key in shown], **following})
        uri = f"gs://{bucket}/{key}"
        if uri in self.files and asked.get("alt") == "media":
            return answers.plain(200, self.files[uri], {"content-type": "application/octet-stream"})
        return google_error(404, "notFound", "No such object.")

    def _page(self, root: str, prefix: str, token: str | None) -> tuple[list[str], str | None]:
        """Keys below a prefix, and the token of what follows."""
        names = [name for name in sorted(self.files) if name.startswith(root + prefix)]
        start = int(token or 0)
        end = start + self.plan.batch.page
        keys = [name.removeprefix(root) for name in names[start:end]]
        return keys, str(end) if end < len(names) else None


def _unsigned(given: Given, body: bytes) -> str | None:
    """What is wrong with the signature of a request, as far as that can be seen here."""
    authorization = given.get(b"authorization", b"")
    if b"/s3/aws4_request" not in authorization:
        return "not signed for S3"
    digest = hashlib.sha256(body).hexdigest().encode()
    return None if given.get(b"x-amz-content-sha256") == digest else "another content"


def _xml_error(code: str, text: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
