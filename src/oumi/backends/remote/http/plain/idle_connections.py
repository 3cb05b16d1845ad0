"""Connections that stay open for the next call."""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oumi.backends.remote.http.plain.connection import Connection

IDLE_KEPT_S = 25.0
"""How long a connection is kept that nobody uses."""


class IdleConnections:
    """Those to one server. What the server has closed meanwhile is left out when its turn comes."""

    def __init__(self) -> None:
        # Each with the time until which it is kept, the one that was used last at the end.
        self._connections: deque[tuple[float, Connection]] = deque()

    def add(self, connection: Connection) -> None:
        """Keep a connection whose call has ended."""
        self._connections.append((monotonic() + IDLE_KEPT_S, connection))

    def pop(self) -> Connection | None:
        """The one that was used last: the server will be the last to close it."""
        connections = self._connections
        while connections and connections[0][0] < monotonic():
            connections.popleft()[1].close()
        while connections:
            _, connection = connections.pop()
            if connection.is_open:
                return connection
        return None
