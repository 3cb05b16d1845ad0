"""One connection to a server. It carries one call after the other."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import AsyncGenerator
from typing import cast

from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.plain.head import RequestHead
from oumi.backends.remote.http.plain.reply_reader import ReplyReader
from oumi.backends.remote.http.plain.write_queue import WriteQueue
from oumi.backends.remote.http.transport_errors import closed, late, silent
from oumi.core.forks import keep_forever
from oumi.errors import OumiError

_MOST_HELD_BYTES = 1 << 18
"""Of a stream that is read more slowly than it comes; then the server has to wait."""


class Connection(asyncio.Protocol):
    """Writes a call and waits for its reply. After an error, and after a reply that is the last one
    by the server's word, it is closed. It is one of `connections` while it is open.
    """

    def __init__(self, writes: WriteQueue, connections: set[Connection]) -> None:
        self._writes = writes
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = ReplyReader()
        self._replied: asyncio.Future[Reply] | None = None  # while a call waits for its reply
        self._unwritten: tuple[bytes, ...] = ()  # its head and its body
        self._due_s = 0.0  # when the reply has to be whole
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = math.inf
        self._came: asyncio.Future[None] | None = None  # while a stream waits for more
        self._is_streamed = self._is_paused = False

    def exchange(
        self, call: Call, head: RequestHead, *, streamed: bool = False
    ) -> asyncio.Future[Reply]:
        """Write a call, and hand out what its whole reply will be in.

        That may also hold TransportError, and RequestError for a reply that is too large. Whoever
        waits for it no longer has to close the connection.
        """
        body = call.body
        assert isinstance(body, bytes)  # noqa: S101  for the type checker
        self._is_streamed = streamed
        self._reader.begin(call)
        self._replied = replied = self._loop.create_future()
        self._unwritten = (head.with_size(len(body)), body)
        self._writes.add(self, self._loop)
        self._limit_wait(call)
        return replied

    async def stream(self, call: Call, head: RequestHead) -> AsyncGenerator[Head | bytes]:
        """Write a call and hand out its reply as it comes, the head first.

        Raises as `exchange` does. Closed before its end, it closes the connection.
        """
        replied = self.exchange(call, head, streamed=True)
        reader = self._reader
        try:
            while reader.head is None and not replied.done():
                await self._more(call)
            if reader.head is None:
                yield Head(*await replied)
                return
            yield reader.head
            while not replied.done():
                if piece := self._take(reader):
                    yield piece
                else:
                    await self._more(call)
            if replied.exception() is not None and (piece := reader.take()):
                yield piece
            if rest := (await replied).body:
                yield rest
        finally:
            if not replied.done():
                replied.cancel()
                self.close()

    def write(self) -> None:
        """Write the call, whose turn it is in the queue of writes."""
        if self._transport is not None:
            self._transport.writelines(self._unwritten)
        self._unwritten = ()

    async def _more(self, call: Call) -> None:
        """Wait until something came, or the reply is whole or failed."""
        self._came = self._loop.create_future()
        self._limit_wait(call)
        try:
            await self._came
        finally:
            self._came = None

    def _take(self, reader: ReplyReader) -> bytes:
        """What came of the body. The server may go on, if it had to wait."""
        if self._is_paused and self._transport is not None:
            self._transport.resume_reading()
            self._is_paused = False
        return reader.take()

    @property
    def is_open(self) -> bool:
        """Whether it can carry another call."""
        return self._transport is not None

    def close(self) -> None:
        """Close it at once. A call that waits gets a TransportError."""
        if self._replied is not None:
            self._fail(self._replied, closed(self._reader.call))
        self._disconnect()

    def leave_to_parent(self) -> None:
        """In a forked child: let go of the socket without a word to the server."""
        if self._transport is not None:
            keep_forever(self._transport)
            os.close(self._transport.get_extra_info("socket").fileno())
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The event loop has connected it."""
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Something came. What comes unasked may not be taken for the reply to the next call."""
        replied = self._replied
        if replied is None:
            self._disconnect()
            return
        try:
            reply = self._reader.feed(data)
        except OumiError as error:
            self._fail(replied, error)
            return
        if reply is not None:
            self._end(replied, reply)
            if self._reader.is_last:
                self._disconnect()
        elif self._is_streamed:
            self._hand_out(self._reader)

    def connection_lost(self, error: Exception | None) -> None:
        """The server has closed it, or the network has."""
        self._transport = None
        self._connections.discard(self)
        self._cancel_timer()
        if self._replied is not None:
            try:
                self._end(self._replied, self._reader.end(error))
            except OumiError as reason:
                self._fail(self._replied, reason)

    def _hand_out(self, reader: ReplyReader) -> None:
        self._wake()
        # Errors are read whole, and are small: the rest of a large one is not read.
        is_behind = reader.head is not None and reader.held_bytes > _MOST_HELD_BYTES
        if is_behind and self._transport is not None:
            self._transport.pause_reading()
            self._is_paused = True

    def _wake(self) -> None:
        if self._came is not None and not self._came.done():
            self._came.set_result(None)

    def _end(self, replied: asyncio.Future[Reply], reply: Reply) -> None:
        self._replied = None
        if not replied.done():
            replied.set_result(reply)
        if self._is_streamed:
            self._wake()

    def _fail(self, replied: asyncio.Future[Reply], error: OumiError) -> None:
        self._replied = None
        if not replied.done():
            replied.set_exception(error)
        self._wake()
        self._disconnect()

    def _limit_wait(self, call: Call) -> None:
        """Fail the call unless it ends, or more of a stream comes, in its time."""
        self._due_s = due_s = self._loop.time() + call.timeout_s
        if due_s < self._timer_s:
            self._set_timer(due_s)

    def _set_timer(self, due_s: float) -> None:
        """One timer serves call after call: it looks again when it fires too early for the last."""
        self._cancel_timer()
        self._timer_s = due_s
        self._timer = self._loop.call_at(due_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._timer_s = None, math.inf
        if self._replied is None or (self._is_streamed and self._came is None):
            return
        if self._loop.time() < self._due_s:
            self._set_timer(self._due_s)
        else:
            error_of = silent if self._is_streamed else late
            self._fail(self._replied, error_of(self._reader.call))

    def _disconnect(self) -> None:
        self._cancel_timer()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_s = None, math.inf
