"""One request and its reply, over raw ASGI: a body with limits, JSON or a stream back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any

from oumi.server.http.disconnect import BODY_IS_WHOLE, DISCONNECT, Disconnect
from oumi.server.http.errors import HttpError

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


class ClientLeftError(Exception):
    """Nobody waits for the reply any more."""


class Exchange:
    """A request, and what is sent back. `headers` are added to the reply's own."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, max_body_bytes: int
    ):
        self.scope = scope
        self.request_id = request_id
        self.headers: list[Header] = [(b"x-request-id", request_id.encode())]
        self.status = 0
        """That of the reply; 0 until it begins."""
        self.client_left = False
        self.caller = ""
        """The name of the key that came with the request."""
        self._receive = receive
        self._send = send
        self._max_body_bytes = max_body_bytes
        self._is_over = False

    @property
    def has_begun(self) -> bool:
        """Whether the head of the reply is sent."""
        return self.status != 0

    def header(self, name: bytes) -> str | None:
        """A header of the request, by its name in lower case."""
        for key, value in self.scope["headers"]:
            if key == name:
                return str(value, "latin-1")
        return None

    async def read_body(self) -> bytes:
        """The body. Raises HttpError for one that is too large or too slow."""
        length = self.header(b"content-length")
        if length is not None and length.isdecimal():
            self._check_size(int(length))
        if BODY_IS_WHOLE in self.scope["extensions"]:
            return await self._read()
        try:
            async with asyncio.timeout(_BODY_TIMEOUT_S):
                return await self._read()
        except TimeoutError:
            self.headers.append(CLOSE)
            raise HttpError(408, f"the body did not come within {_BODY_TIMEOUT_S:g} s") from None

    async def _read(self) -> bytes:
        message = await self._receive()
        if not message.get("more_body") and "body" in message:  # as most bodies come
            whole: bytes = message["body"]
            return whole
        body = bytearray(message.get("body", b""))
        while message.get("more_body"):
            message = await self._receive()
            body += message.get("body", b"")
            self._check_size(len(body))
        if message["type"] == "http.disconnect":
            self.client_left = True
            raise ClientLeftError
        return bytes(body)

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
        length = (b"content-length", str(len(body)).encode())
        await self._start(status, [*headers, length])
        await self._send_body(body, more=False)

    async def begin_stream(self, headers: Iterable[Header] = EVENT_STREAM) -> None:
        """Send the head of a reply that comes in parts."""
        await self._start(200, headers)

    async def send_part(self, part: bytes) -> None:
        """Send a part, as soon as the client has taken most of those before."""
        await self._send_body(part, more=True)

    async def end_stream(self, part: bytes = b"") -> None:
        """Send the last part."""
        await self._send_body(part, more=False)

    @contextlib.contextmanager
    def ends_with_client(self) -> Iterator[None]:
        """Within this, a client that goes away cancels the work for it."""
        disconnect: Disconnect = self.scope["extensions"][DISCONNECT]
        task = asyncio.current_task(disconnect.loop)
        assert task is not None  # noqa: S101  for the type checker
        if disconnect.has_happened:
            raise ClientLeftError
        disconnect.callback = partial(self._leave, task)
        try:
            yield
        except asyncio.CancelledError:
            if self.client_left:
                task.uncancel()
                raise ClientLeftError from None
            raise
        finally:
            disconnect.callback = None

    def _leave(self, task: asyncio.Task[Any]) -> None:
        if not self._is_over:  # a client may close the connection after a whole reply
            self.client_left = True
            task.cancel()

    async def _start(self, status: int, headers: Iterable[Header]) -> None:
        self.status = status
        message = {"status": status, "headers": [*headers, *self.headers]}
        await self._send({"type": "http.response.start", **message})

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        self._is_over = not more
        message = {"type": "http.response.body", "body": body, "more_body": more}
        await self._send(message)
