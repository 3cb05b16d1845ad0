"""The server of a report from its start to its end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from oumi.report.live.live_run import LiveRun
from oumi.runner import loop
from oumi.server.http.listening import HttpServer, address_of, bind
from oumi.server.report.app import ReportApp

_HOST = "127.0.0.1"
"""A report is for whoever has the files: no other machine gets at it."""
_DRAIN_S = 1.0
_TURN_S = 0.2
"""How long rows are counted until a stop is heard of."""
_REST_S = 0.5
"""How long after an answer is recorded a page may hear of it; a look costs a call of the system."""


def serve_report(path: Path, port: int, on_ready: Callable[[str], object]) -> None:
    """Show the run of an output file until Ctrl-C or SIGTERM. Raises KeyboardInterrupt.

    `on_ready` is called with the address. Raises InputError where there is no run, EngineError
    where the port is taken.
    """
    run = LiveRun(path)
    with bind(_HOST, port) as listening:
        address = address_of(_HOST, listening)
        http = HttpServer(ReportApp(run).app(), _DRAIN_S, lambda: on_ready(address))
        running = _Running(run, http)
        loop.call(running.run(listening), running)


class _Running:
    """A server that can be stopped."""

    kept = "the run is as it was"

    def __init__(self, run: LiveRun, http: HttpServer):
        self._run = run
        self._http = http

    async def run(self, listening: socket.socket) -> None:
        """Serve until it is stopped, and follow the run meanwhile."""
        following = asyncio.create_task(self._follow())
        await self._http.serve(sockets=[listening])
        following.cancel()

    async def _follow(self) -> None:
        while True:
            if not await asyncio.to_thread(self._run.advance, _TURN_S):
                await asyncio.sleep(_REST_S)

    def stop(self) -> None:
        """Take nothing new."""
        self._http.should_exit = True
