"""One connection to a server. It carries one call after the other."""

from __future__ import annotations

import asyncio
import os
from typing import cast

from oumi.backends.remote.http.call import Call, Reply
from oumi.backends.remote.http.plain.reply_reader import ReplyReader
from oumi.backends.remote.http.transport_errors import closed, late
from oumi.core.forks import keep_forever
from oumi.errors import OumiError


class Connection(asyncio.Protocol):
    """Writes a call and waits for its reply. After an error, and after a reply that is the last one
    by the server's word, it is closed.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._idle_since_s = self._loop.time()
        self._reader: ReplyReader | None = None  # while a call waits
        self._replied: asyncio.Future[Reply] = self._loop.create_future()
        self._due_s = 0.0  # when the reply has to be whole
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0

    async def exchange(self, call: Call, head: bytes, body: bytes) -> Reply:
        """Write a call and wait for its whole reply.

        Raises TransportError, and RequestError for a reply that is too large. Where it is
        cancelled, the connection is closed.
        """
        assert self._transport is not None  # noqa: S101  for the type checker
        self._reader = ReplyReader(call)
        self._replied = self._loop.create_future()
        self._due_s = self._loop.time() + call.timeout_s
        self._set_timer()
        self._transport.writelines((head, body))
        try:
            return await self._replied
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._idle_since_s = self._loop.time()

    @property
    def is_open(self) -> bool:
        """Whether it can carry another call."""
        return self._transport is not None

    def is_usable(self, most_idle_s: float) -> bool:
        """Whether it is open and has not been idle for longer."""
        return self._transport is not None and self._loop.time() - self._idle_since_s < most_idle_s

    def close(self) -> None:
        """Close it at once. A call that waits gets a TransportError."""
        if self._reader is not None:
            self._fail(closed(self._reader.call))
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

    def data_received(self, data: bytes) -> None:
        """Something came. What comes unasked may not be taken for the reply to the next call."""
        if self._reader is None:
            self._disconnect()
            return
        try:
            reply = self._reader.feed(data)
        except OumiError as error:
            self._fail(error)
        else:
            if reply is not None:
                self._end(reply, is_last=self._reader.is_last)

    def connection_lost(self, error: Exception | None) -> None:
        """The server has closed it, or the network has."""
        self._transport = None
        self._cancel_timer()
        if self._reader is not None:
            try:
                self._end(self._reader.end(error), is_last=True)
            except OumiError as reason:
                self._fail(reason)

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
        if self._reader is not None:
            self._reader.release()
            self._reader = None

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
        if self._reader is None:
            return
        if self._loop.time() < self._due_s:
            self._set_timer()
        else:
            self._fail(late(self._reader.call))

    def _disconnect(self) -> None:
        self._cancel_timer()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
