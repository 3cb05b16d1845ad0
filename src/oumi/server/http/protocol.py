"""HTTP/1.1 on a connection, with limits that uvicorn has none of: on the head of a request, and on
the patience with clients that send or take nothing.
"""

from __future__ import annotations

from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from oumi.server.http.disconnect import BODY_IS_WHOLE, DISCONNECT, Disconnect
from oumi.server.http.joined_writes import JoinedWrites

_MOST_HEAD_BYTES = 64 * 1024
"""Twice what common proxies take in all (nginx: 4 buffers of 8 KiB)."""
_FIRST_BYTE_S = 30.0
"""A connection on which no byte has come for so long is closed."""
_TAKES_NOTHING_S = 60.0
"""A client that takes nothing of a reply for so long is gone, and its place is for others."""


class LimitedProtocol(HttpToolsProtocol):
    """Refuses a request with a larger head by 400, and drops clients that do nothing."""

    _in_head = True
    _head_bytes = 0
    _stalled: TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(JoinedWrites(transport, self.loop))  # type: ignore[arg-type]
        self._disconnect = Disconnect(self.loop)
        handler = self.timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(_FIRST_BYTE_S, handler)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._head_bytes += len(data)  # what ends a request in these bytes sets it to 0 again
        super().data_received(data)
        is_large = self._in_head and self._head_bytes > _MOST_HEAD_BYTES
        if is_large and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """The head of a request has come."""
        self._in_head = False
        self.scope["extensions"] = {DISCONNECT: self._disconnect}  # type: ignore[dict-item]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request has come whole."""
        self._in_head, self._head_bytes = True, 0
        self.scope["extensions"][BODY_IS_WHOLE] = {}
        super().on_message_complete()

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        super().pause_writing()
        self._stalled = self.loop.call_later(_TAKES_NOTHING_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It has taken most of it."""
        self._end_stall()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed."""
        self._end_stall()
        super().connection_lost(exc)
        self._disconnect.happen()

    def _end_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
