"""One request and its reply, over raw ASGI: a body with limits, JSON or a stream back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from oumi.server.http.disconnect import BODY_IS_WHOLE, DISCONNECT, ClientLeftError, Disconnect
from oumi.server.http.errors import HttpError
from oumi.server.http.ids import request_id_of

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Header = tuple[bytes, bytes]

JSON: Header = (b"content-type", b"application/json")
EVENT_STREAM = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back until its buffer is full
)
CLOSE: Header = (b"connection", b"close")

_BODY_TIMEOUT_S = 120.0
"""For a whole body. 50 MB, the most that is taken, come within it at 3.5 Mbit/s."""


class Exchange:
    """A request, and what is sent back. `headers` are added to the reply's own."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int):
        self.scope = scope
        self._given = dict(reversed(scope["headers"]))  # of those that come twice, the first
        self.request_id = request_id_of(self.header(b"x-request-id"))
        """That of the client, or a new one."""
        self.headers: list[Header] = [(b"x-request-id", self.request_id.encode())]
        self.status = 0
        """That of the reply; 0 until it begins."""
        self.caller = ""
        """The name of the key that came with the request."""
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._disconnect: Disconnect | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the head of the reply is sent."""
        return self.status != 0

    def header(self, name: bytes) -> str | None:
        """A header of the request, by its name in lower case."""
        value = self._given.get(name)
        return None if value is None else str(value, "latin-1")

    async def read_body(self) -> bytes:
        """The body. Raises HttpError for one that is too large or too slow."""
        if BODY_IS_WHOLE in self.scope["extensions"]:  # as most come
            message = await self._receive()
            body: bytes = message.get("body", b"")
            self._check(message, len(body))
            return body
        length = self.header(b"content-length")
        if length is not None and length.isdecimal():
            self._check_size(int(length))
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                return await self._read()
        except TimeoutError:
            self.headers.append(CLOSE)
            raise HttpError(408, f"the body did not come within {_BODY_TIMEOUT_S:g} s") from None

    async def _read(self) -> bytes:
        body, has_more = bytearray(), True
        while has_more:
            message = await self._receive()
            body += message.get("body", b"")
            self._check(message, len(body))
            has_more = message.get("more_body", False)
        return bytes(body)

    def _check(self, message: MutableMapping[str, Any], size: int) -> None:
        """Raise what keeps a body from being read further, which has so many bytes by now."""
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        self._check_size(size)

    def _check_size(self, size: int) -> None:
        if size > self._max_body_bytes:
            self.headers.append(CLOSE)  # the rest of it is not read
            raise HttpError(
                413, f"the body has more than {self._max_body_bytes:,} bytes", code="too_large"
            )

    def receive_at_most(self, most_bytes: int) -> Receive:
        """What a body can be read from, part by part, by its own limit. It raises HttpError."""
        size = 0

        async def receive() -> MutableMapping[str, Any]:
            nonlocal size
            message = await self._receive()
            size += len(message.get("body", b""))
            if size > most_bytes:
                self.headers.append(CLOSE)
                raise HttpError(
                    413, f"the body has more than {most_bytes:,} bytes", code="too_large"
                )
            return message

        return receive

    async def reply(self, status: int, body: bytes, headers: Iterable[Header] = (JSON,)) -> None:
        """Send a whole reply."""
        length = (b"content-length", b"%d" % len(body))
        await self._start(status, [*headers, length])
        await self.end_stream(body)

    # What follows is not async itself: each coroutine around another costs as much as a small part.

    def begin_stream(self, headers: Iterable[Header] = EVENT_STREAM) -> Awaitable[None]:
        """Send the head of a reply that comes in parts."""
        return self._start(200, headers)

    def send_part(self, part: bytes) -> Awaitable[None]:
        """Send a part, as soon as the client has taken most of those before."""
        return self._send({"type": "http.response.body", "body": part, "more_body": True})

    def end_stream(self, part: bytes = b"") -> Awaitable[None]:
        """Send the last part."""
        if self._disconnect is not None:
            self._disconnect.is_answered()
        return self._send({"type": "http.response.body", "body": part, "more_body": False})

    def ends_with_client(self) -> Disconnect:
        """Within `with`, a client that goes away before the end of its reply cancels the work for
        it.
        """
        disconnect: Disconnect = self.scope["extensions"][DISCONNECT]
        self._disconnect = disconnect
        return disconnect

    def _start(self, status: int, headers: Iterable[Header]) -> Awaitable[None]:
        self.status = status
        every = [*headers, *self.headers]
        return self._send({"type": "http.response.start", "status": status, "headers": every})
