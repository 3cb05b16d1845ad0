"""One connection to a server. It carries one call after the other."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
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
        self._idle_since_s = self._loop.time()
        self._reader = ReplyReader()
        self._call: Call | None = None  # that waits for its reply
        self._unwritten: tuple[bytes, ...] = ()  # its head and its body
        self._replied: asyncio.Future[Reply] = self._loop.create_future()
        self._due_s = 0.0  # when the reply has to be whole
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._error_of: Callable[[Call], OumiError] = late
        self._came: asyncio.Future[None] | None = None  # while a stream waits for more
        self._is_streamed = self._is_paused = False

    async def exchange(self, call: Call, head: RequestHead) -> Reply:
        """Write a call and wait for its whole reply.

        Raises TransportError, and RequestError for a reply that is too large. Where it is
        cancelled, the connection is closed.
        """
        self._begin(call, head)
        self._limit_wait(call, late)
        try:
            return await self._replied
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._idle_since_s = self._loop.time()

    async def stream(self, call: Call, head: RequestHead) -> AsyncGenerator[Head | bytes]:
        """Write a call and hand out its reply as it comes, the head first.

        Raises as `exchange` does. Closed before its end, it closes the connection.
        """
        self._begin(call, head, streamed=True)
        reader = self._reader
        try:
            while reader.head is None and not self._replied.done():
                await self._more(call)
            if reader.head is None:
                yield Head(*await self._replied)
                return
            yield reader.head
            while not self._replied.done():
                if piece := self._take(reader):
                    yield piece
                else:
                    await self._more(call)
            if self._replied.exception() is not None and (piece := reader.take()):
                yield piece
            if rest := (await self._replied).body:
                yield rest
        finally:
            if not self._replied.done():
                self._replied.cancel()
                self.close()
            self._idle_since_s = self._loop.time()

    def _begin(self, call: Call, head: RequestHead, *, streamed: bool = False) -> None:
        body = call.body
        assert isinstance(body, bytes)  # noqa: S101  for the type checker
        self._is_streamed = streamed
        self._call = call
        self._reader.begin(call)
        self._replied = self._loop.create_future()
        self._unwritten = (head.with_size(len(body)), body)
        self._writes.add(self, self._loop)

    def write(self) -> None:
        """Write the call, whose turn it is in the queue of writes."""
        if self._transport is not None:
            self._transport.writelines(self._unwritten)
        self._unwritten = ()

    async def _more(self, call: Call) -> None:
        """Wait until something came, or the reply is whole or failed."""
        self._came = self._loop.create_future()
        self._limit_wait(call, silent)
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

    def is_usable(self, most_idle_s: float) -> bool:
        """Whether it is open and has not been idle for longer."""
        return self._transport is not None and self._loop.time() - self._idle_since_s < most_idle_s

    def close(self) -> None:
        """Close it at once. A call that waits gets a TransportError."""
        if self._call is not None:
            self._fail(closed(self._call))
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
        if self._call is None:
            self._disconnect()
            return
        try:
            reply = self._reader.feed(data)
        except OumiError as error:
            self._fail(error)
        else:
            if reply is not None:
                self._end(reply, is_last=self._reader.is_last)
            elif self._is_streamed:
                self._hand_out(self._reader)

    def connection_lost(self, error: Exception | None) -> None:
        """The server has closed it, or the network has."""
        self._transport = None
        self._connections.discard(self)
        self._cancel_timer()
        if self._call is not None:
            try:
                self._end(self._reader.end(error), is_last=True)
            except OumiError as reason:
                self._fail(reason)

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

    def _end(self, reply: Reply, *, is_last: bool) -> None:
        self._release()
        if not self._replied.done():
            self._replied.set_result(reply)
        if is_last:
            self._disconnect()

    def _fail(self, error: OumiError) -> None:
        self._release()
        if not self._replied.done():
            self._replied.set_exception(error)
        self._disconnect()

    def _release(self) -> None:
        """No call waits any more."""
        self._wake()
        self._call = None

    def _limit_wait(self, call: Call, error_of: Callable[[Call], OumiError]) -> None:
        """Fail the call unless it ends, or more of it comes, in its time."""
        self._due_s, self._error_of = self._loop.time() + call.timeout_s, error_of
        self._set_timer()

    def _set_timer(self) -> None:
        """One timer serves call after call: it looks again when it fires too early for the last."""
        if self._timer is not None:
            if self._timer_s <= self._due_s:
                return
            self._timer.cancel()
        self._timer_s = self._due_s
        self._timer = self._loop.call_at(self._due_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if self._call is None or (self._is_streamed and self._came is None):
            return
        if self._loop.time() < self._due_s:
            self._set_timer()
        else:
            self._fail(self._error_of(self._call))

    def _disconnect(self) -> None:
        self._cancel_timer()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
