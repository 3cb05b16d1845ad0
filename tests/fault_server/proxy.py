"""A small proxy, for plain requests and for CONNECT, that notes what it was asked for."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from typing import Self
from urllib.parse import urlsplit


class Proxy:
    """Alive inside `with`. `seen` holds the first lines of all requests, `url` its address."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://user:word@127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        seen = self.seen

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                head = self.request.recv(65536)
                line = head.split(b"\r\n")[0].decode()
                seen.append(line)
                method, target, _ = line.split()
                address = target if method == "CONNECT" else urlsplit(target).netloc
                with socket.create_connection(address.split(":")) as upstream:
                    if method == "CONNECT":
                        self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    else:
                        upstream.sendall(head)
                    _relay(self.request, upstream)

        return Handler


def _relay(one: socket.socket, other: socket.socket) -> None:
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join(timeout=5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
