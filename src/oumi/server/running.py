"""A server from its start to its end, on the event loop of all engines, so that no piece of an
answer has to go from one loop to another.
"""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from oumi.runner import loop
from oumi.server.accounts.accounts import Accounts
from oumi.server.app import Server
from oumi.server.http.listening import HttpServer, address_of, bind
from oumi.server.options import ServeOptions

if TYPE_CHECKING:
    from oumi.server.models import ModelTable

_OBJECTS_BEFORE_GC = 10_000
"""Each request makes some 200 objects that live until its end, and leaves none in circles. With the
usual 700, all of those in flight are looked at every few requests, which takes 3 % of the time."""


def serve(models: ModelTable, options: ServeOptions, on_ready: Callable[[str], object]) -> None:
    """Answer until Ctrl-C or SIGTERM, and then what is in flight. Raises KeyboardInterrupt.

    `on_ready` is called with the address. A second signal ends it at once. Raises EngineError
    where the port is taken.
    """
    with (
        bind(options.host, options.port) as listening,
        Accounts(options.key_settings) as accounts,
    ):
        accounts.check_prices(models)
        server = Server(models, options, accounts)
        address = address_of(options.host, listening)
        http = HttpServer(server.app(), options.drain_s, lambda: on_ready(address))
        running = _Running(server, http)
        gc.set_threshold(_OBJECTS_BEFORE_GC)
        gc.freeze()  # what is loaded stays, and need not be looked at for garbage again and again
        loop.call(running.run(listening), running)


class _Running:
    """A server that can be stopped."""

    kept = "requests in flight were answered, and batches go on without the server"

    def __init__(self, server: Server, http: HttpServer):
        self._server = server
        self._http = http

    async def run(self, listening: socket.socket) -> None:
        """Serve until it is stopped, and what is in flight has ended."""
        resuming = asyncio.ensure_future(self._server.batches.resume())
        await self._http.serve(sockets=[listening])
        resuming.cancel()

    def stop(self) -> None:
        """Take nothing new."""
        self._server.is_draining = self._http.should_exit = True
