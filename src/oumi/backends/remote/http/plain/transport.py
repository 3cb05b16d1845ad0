"""Calls by connections that stay open from one call to the next."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache, partial
from urllib.request import getproxies

from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.plain.connection import Connection
from oumi.backends.remote.http.plain.head import RequestHead, make_head
from oumi.backends.remote.http.plain.idle_connections import IdleConnections
from oumi.backends.remote.http.plain.write_queue import WriteQueue
from oumi.backends.remote.http.proxies import Proxies
from oumi.backends.remote.http.transport_errors import closed, unreachable
from oumi.core.forks import watch_forks

CONNECT_WITHIN_S = 20.0


class PlainTransport:
    """Sends calls to `http://` addresses for which no proxy is set, and reads whole replies."""

    def __init__(self, proxies: Proxies) -> None:
        self._proxies = proxies if proxies else None
        # Some systems have settings of their own, which count where the environment has none.
        self._is_direct = bool(proxies) or not getproxies().keys() & {"http", "all"}
        self._idle: defaultdict[tuple[str, int], IdleConnections] = defaultdict(IdleConnections)
        self._open: set[Connection] = set()
        self._writes = WriteQueue()
        self._closed = False
        watch_forks(self)

    def after_fork(self) -> None:
        """The connections are the parent's; a child that has them open would keep them so."""
        for connection in self._open:
            connection.leave_to_parent()
        self._idle = defaultdict(IdleConnections)
        self._open = set()
        self._writes = WriteQueue()

    def takes(self, call: Call) -> bool:
        """Whether it can send a call: without TLS, a proxy, a password in the URL, or a file."""
        if not (self._is_direct and _is_plain(call.url) and isinstance(call.body, bytes)):
            return False
        return self._proxies is None or self._proxies.find(call.url) is None

    async def send(self, call: Call) -> Reply:
        """Send and read the whole reply. Raises TransportError."""
        head = make_head(call.method, call.url, tuple(call.headers.items()))
        idle = self._idle[head.server]
        connection = idle.pop() or await self._connect(head, call)
        try:
            reply = await connection.exchange(call, head)
        except asyncio.CancelledError:
            connection.close()
            raise
        idle.add(connection)
        return head.masked(reply)

    async def stream(self, call: Call) -> AsyncGenerator[Head | bytes]:
        """Send and read the reply as it comes, the head first. Raises TransportError."""
        head = make_head(call.method, call.url, tuple(call.headers.items()))
        idle = self._idle[head.server]
        connection = idle.pop() or await self._connect(head, call)
        async with aclosing(connection.stream(call, head)) as parts:
            async for part in parts:
                yield head.masked(part) if isinstance(part, Head) else part
        idle.add(connection)

    def close(self) -> None:
        """Close all connections. Calls in flight get a TransportError."""
        self._closed = True
        for connection in self._open.copy():
            connection.close()
        self._idle.clear()

    async def _connect(self, head: RequestHead, call: Call) -> Connection:
        if self._closed:
            raise closed(call)
        loop, connection = asyncio.get_running_loop(), partial(Connection, self._writes, self._open)
        try:
            async with asyncio.timeout(min(CONNECT_WITHIN_S, call.timeout_s)):
                _, connected = await loop.create_connection(connection, *head.server)
        except OSError as error:  # TimeoutError is one
            raise unreachable(call, error) from None
        return connected


@lru_cache
def _is_plain(url: str) -> bool:
    """Whether an URL is one without TLS and without a password, of ASCII alone."""
    return url.startswith("http://") and url.isascii() and "@" not in url
