"""A web server of images, on addresses of the loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.remote.talks import PNG


class Site(ThreadingHTTPServer):
    """Serves `/image.png`, `/to?URL` (a redirect), `/endless`, `/large` and statuses.

    `paths` are those that were asked for.
    """

    daemon_threads = True

    def __init__(self, address: str, image: bytes):
        self.image = image
        self.paths: list[str] = []
        super().__init__((address, 0), _Handler)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.server_address[0]}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        path, _, query = self.path.partition("?")
        if path == "/to":
            self._answer(302, b"", Location=query)
        elif path == "/endless":
            self._answer(200, b"")
            self._drip()
        elif path == "/large":
            self._answer(200, PNG + bytes(5000))
        elif path == "/image.png":
            self._answer(200, self.server.image)
        else:
            self._answer(int(path[1:]), b"")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()  # no length: the end of the connection ends the body
        self.wfile.write(body)

    def _drip(self) -> None:
        try:
            while True:
                self.wfile.write(PNG)
                time.sleep(0.001)
        except OSError:
            return  # the reader has gone

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def open_site(address: str = "127.0.0.1", image: bytes = PNG) -> Iterator[Site]:
    """A running server."""
    with Site(address, image) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        try:
            yield site
        finally:
            site.shutdown()
