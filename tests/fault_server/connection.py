"""One connection: bytes in, answers out, with full control over how it ends."""

from __future__ import annotations

import asyncio
import socket
import struct
from functools import partial
from typing import cast

import httptools

from tests.fault_server.answers import Answer
from tests.fault_server.service import Service

_LINGER_NONE = struct.pack("ii", 1, 0)


class Connection(asyncio.Protocol):
    """Serves one request after the other."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop):
        self._service = service
        self._loop = loop
        self._parser = httptools.HttpRequestParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._service.open_connections += 1
        self._service.stats.connections += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.open_connections -= 1
        if self._timer is not None:
            self._timer.cancel()
        if self._answering:
            self._answering = False
            self._stats.leave()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        self._path = url
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        method, body = self._parser.get_method(), b"".join(self._body)
        answer = self._service.control(method, self._path, body)
        if answer is not None:
            self._transport.write(answer.pieces[0])
            return
        self._stats = self._service.stats  # counts anew only with the next request
        self._answering = True
        self._row, answer = self._service.chat(method, self._path, self._headers, body)
        if not self._service.hold(partial(self._begin, answer)):
            self._begin(answer)

    def _begin(self, answer: Answer) -> None:
        latency_s = self._service.plan.latency_ms / 1000
        if latency_s:
            self._later(latency_s, answer, 0)
        else:
            self._write(answer, 0)

    def _write(self, answer: Answer, index: int) -> None:
        """Write the answer from piece `index` on."""
        self._timer = None
        if self._transport.is_closing():
            return  # counted as left once the connection is lost
        pieces = answer.pieces
        while index < len(pieces):
            self._transport.write(pieces[index])
            index += 1
            if answer.gap_s and index < len(pieces):
                self._later(answer.gap_s, answer, index)
                return
        self._end(answer)

    def _later(self, wait_s: float, answer: Answer, index: int) -> None:
        self._timer = self._loop.call_later(wait_s, self._write, answer, index)

    def _end(self, answer: Answer) -> None:
        if answer.end == "hang":
            return
        self._answering = False
        self._stats.end(self._row, answer.label)
        if answer.end == "reset":
            self._reset()
        elif answer.end == "close" and answer.end_gap_s:
            self._timer = self._loop.call_later(answer.end_gap_s, self._transport.close)
        elif answer.end == "close" or not self._parser.should_keep_alive():
            self._transport.close()

    def _reset(self) -> None:
        """With an RST instead of a FIN."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._transport.abort()
