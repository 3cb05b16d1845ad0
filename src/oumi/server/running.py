"""A server from its start to its end, on the event loop of all engines, so that no piece of an
answer has to go from one loop to another.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from uvicorn import Config
from uvicorn import Server as Uvicorn

from oumi.errors import EngineError
from oumi.runner import loop
from oumi.server.app import Server
from oumi.server.http.protocol import LimitedProtocol
from oumi.server.keys.accounts import Accounts
from oumi.server.options import ServeOptions

if TYPE_CHECKING:
    from oumi.server.models import ModelTable

_KEEP_ALIVE_S = 75
"""Longer than the 60 s after which common proxies drop a connection that they hold open, so that
none of them sends a request into one that is just being closed."""

_OBJECTS_BEFORE_GC = 10_000
"""Each request makes some 200 objects that live until its end, and leaves none in circles. With the
usual 700, all of those in flight are looked at every few requests, which takes 3 % of the time."""


def serve(models: ModelTable, options: ServeOptions, on_ready: Callable[[str], object]) -> None:
    """Answer until Ctrl-C or SIGTERM, and then what is in flight. Raises KeyboardInterrupt.

    `on_ready` is called with the address. A second signal ends it at once. Raises EngineError
    where the port is taken.
    """
    with _bind(options) as listening, Accounts(options.key_settings) as accounts:
        accounts.check_prices(models)
        server = Server(models, options, accounts)
        uvicorn = _ReadyServer(
            Config(
                server.app(),
                http=LimitedProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=int(options.drain_s),
            ),
            lambda: on_ready(_address(options.host, listening)),
        )
        running = _Running(server, uvicorn)
        gc.set_threshold(_OBJECTS_BEFORE_GC)
        gc.freeze()  # what is loaded stays, and need not be looked at for garbage again and again
        loop.call(running.run(listening), running)


class _Running:
    """A server that can be stopped."""

    kept = "requests in flight were answered, and batches go on without the server"

    def __init__(self, server: Server, uvicorn: Uvicorn):
        self._server = server
        self._uvicorn = uvicorn

    async def run(self, listening: socket.socket) -> None:
        """Serve until it is stopped, and what is in flight has ended."""
        resuming = asyncio.ensure_future(self._server.batches.resume())
        await self._uvicorn.serve(sockets=[listening])
        resuming.cancel()

    def stop(self) -> None:
        """Take nothing new."""
        self._server.is_draining = self._uvicorn.should_exit = True


class _ReadyServer(Uvicorn):
    """Says when it takes requests."""

    def __init__(self, config: Config, on_ready: Callable[[], object]):
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._on_ready()


def _bind(options: ServeOptions) -> socket.socket:
    """A socket that is bound but does not listen yet. Raises EngineError."""
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM
        )
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise EngineError(f"--host {options.host}: {error.strerror or error}") from error
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(address)
    except OSError as error:
        found.close()
        raise EngineError(
            f"{options.host}:{options.port} cannot be listened on: {error.strerror or error}; "
            "another --port may be free"
        ) from error
    return found


def _address(host: str, listening: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}"
