"""HTTP/1.1 on a connection, with limits on the head of a request, which uvicorn has none for."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_HEAD_BYTES = 64 * 1024
"""Twice what common proxies take in all (nginx: 4 buffers of 8 KiB)."""
_FIRST_BYTE_S = 30.0
"""A connection on which no byte has come for so long is closed."""


class LimitedProtocol(HttpToolsProtocol):
    """Refuses a request with a larger head by 400, and drops connections that ask for nothing."""

    _in_head = True
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        handler = self.timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(_FIRST_BYTE_S, handler)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > _MOST_HEAD_BYTES:
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """The head of a request has come."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request has come whole."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_complete()
