"""uvicorn as all servers of this program run it: on a socket that is bound beforehand."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from uvicorn import Config
from uvicorn import Server as Uvicorn

from oumi.errors import EngineError
from oumi.server.http.protocol import LimitedProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_KEEP_ALIVE_S = 75
"""Longer than the 60 s after which common proxies drop a connection that they hold open, so that
none of them sends a request into one that is just being closed."""


class HttpServer(Uvicorn):
    """Answers by an app, and says when it takes requests. When it is to stop, requests in flight
    have `drain_s` seconds to end.
    """

    def __init__(self, app: ASGIApp, drain_s: float, on_ready: Callable[[], object]):
        super().__init__(
            Config(
                app,
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(drain_s),
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._on_ready()


def bind(host: str, port: int) -> socket.socket:
    """A socket that is bound but does not listen yet. Raises EngineError where the port is taken,
    or the host is none of this machine.
    """
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise EngineError(f"--host {host}: {error.strerror or error}") from error
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(address)
    except OSError as error:
        found.close()
        raise EngineError(
            f"{host}:{port} cannot be listened on: {error.strerror or error}; "
            "another --port may be free"
        ) from error
    return found


def address_of(host: str, listening: socket.socket) -> str:
    """The URL of a server at a bound socket."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"
