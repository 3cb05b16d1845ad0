"""A server that is the Hugging Face Hub and S3, each as far as files are listed and read.

https://huggingface.co/docs/hub/api
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

FILES = {
    "data/a.csv": b"prompt\nrow-0\n",
    "data/b.jsonl": b'{"prompt":"row-1"}\n',
    "README.md": b"#",
}
_TREE = "/api/datasets/o/d/tree/main"
_RESOLVE = "/datasets/o/d/resolve/main/"
_COMMIT = "c" * 40


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith(_TREE):
            self._json(_tree(url.path.removeprefix(_TREE).strip("/")))
        elif url.path == "/api/datasets/o/d":
            self._json({"id": "o/d", "sha": _COMMIT, "siblings": []})
        elif url.path.startswith(_RESOLVE):
            self._file(url.path.removeprefix(_RESOLVE))
        elif url.path.rstrip("/") == "/bucket":
            self._reply(_listing(parse_qs(url.query).get("prefix", [""])[0]).encode())
        else:
            self._file(url.path.removeprefix("/bucket/"))

    def log_message(self, *_: object) -> None:
        pass

    def _file(self, name: str) -> None:
        if name not in FILES:
            self._reply(b"{}", 404)
            return
        headers = {"etag": '"x"', "x-repo-commit": _COMMIT}
        headers["last-modified"] = "Thu, 01 Jan 2026 00:00:00 GMT"
        data, status, asked = FILES[name], 200, self.headers.get("range")
        if asked is not None:
            first, last = map(int, asked.removeprefix("bytes=").split("-"))
            headers["content-range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first : last + 1], 206
        self._reply(data, status, headers)

    def _json(self, value: object) -> None:
        self._reply(json.dumps(value).encode(), headers={"content-type": "application/json"})

    def _reply(self, data: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "content-length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _tree(folder: str) -> list[dict[str, object]]:
    names = [name for name in FILES if name.startswith(folder)]
    files = [{"type": "file", "path": n, "size": len(FILES[n]), "oid": "a" * 40} for n in names]
    folders = [] if folder else [{"type": "directory", "path": "data", "oid": "b" * 40}]
    return [*files, *folders]


def _listing(prefix: str) -> str:
    found = {name: data for name, data in FILES.items() if name.startswith(prefix)}
    contents = "".join(
        f"<Contents><Key>{name}</Key><Size>{len(data)}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for name, data in found.items()
    )
    count = f"<KeyCount>{len(found)}</KeyCount><IsTruncated>false</IsTruncated>"
    head = f"<Name>bucket</Name><Prefix>{prefix}</Prefix>{count}"
    return f"<ListBucketResult>{head}{contents}</ListBucketResult>"


@contextmanager
def stores() -> Iterator[str]:
    """The server's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
