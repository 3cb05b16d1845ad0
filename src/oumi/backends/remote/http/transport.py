"""The HTTP stack: a call goes out, a reply or a TransportError comes back.

Nothing here knows what is said, and nothing is ever sent twice: whoever calls decides on that,
and takes every TransportError as "may have been answered".
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from oumi.backends.certificates import trusted_certificates
from oumi.backends.remote.http.call import Call, Head, Reply
from oumi.backends.remote.http.headers import Headers
from oumi.backends.remote.http.open_files import allow_many_connections
from oumi.backends.remote.http.plain.idle_connections import IDLE_KEPT_S
from oumi.backends.remote.http.plain.transport import CONNECT_WITHIN_S, PlainTransport
from oumi.backends.remote.http.proxies import Proxies
from oumi.backends.remote.http.reading import read_reply
from oumi.backends.remote.http.transport_errors import (
    TransportTimeoutError,
    closed,
    refused_by_proxy,
    silent,
    too_large,
    translate,
)
from oumi.backends.remote.http.uploads import body_argument, headers_of
from oumi.core.forks import keep_forever, watch_forks

if TYPE_CHECKING:
    import wreq

ResultT = TypeVar("ResultT")

_PROXY_REFUSES = 407
_WITH_OWN_PROXIES = ("darwin", "win32")


class Transport(Protocol):
    """Moves bytes. A call that is cancelled closes its connection."""

    async def send(self, call: Call) -> Reply:
        """Send and read the whole reply, which `timeout_s` ends however slowly it drips in.

        Raises TransportError.
        """
        ...

    def stream(self, call: Call) -> AsyncGenerator[Head | bytes]:
        """Send and read the reply as it comes, the head first. It may take as long as it likes,
        but for no longer than `timeout_s` may nothing come. Closing it early closes the
        connection. Raises TransportError.
        """
        ...

    async def close(self) -> None:
        """Close all connections. Closing twice is fine."""
        ...


def open_transport() -> Transport:
    """The transport that engines use, with an HTTP stack of its own. Loads it."""
    allow_many_connections()
    return HttpTransport()


class HttpTransport:
    """HTTP/1.1 on wreq. Proxies come from HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, the
    trusted certificates from SSL_CERT_FILE, SSL_CERT_DIR or REQUESTS_CA_BUNDLE, read when it is
    made. In a forked child it has connections of its own.
    """

    # wreq because it drops the connection of a call that is cancelled. pyreqwest is as fast and
    # lets such a call run on (https://docs.rs/tokio/latest/tokio/task/struct.JoinHandle.html: a
    # dropped handle detaches its task); aiohttp takes twice the CPU time.

    def __init__(self) -> None:
        import wreq

        self._closed = False
        self._methods = {
            name: getattr(wreq.Method, name) for name in ("GET", "POST", "PUT", "DELETE")
        }
        self._client: wreq.Client | None = None
        self._open()
        self._plain = PlainTransport(self._proxies)
        watch_forks(self)

    def _open(self) -> wreq.Client:
        """The client, made anew in a child, which reads the environment once more."""
        import wreq

        self._proxies = Proxies()
        self._client = wreq.Client(
            runtime=wreq.runtime.Runtime(workers=1, thread_name="oumi-http"),
            user_agent="oumi",
            redirect=wreq.redirect.Policy.none(),  # a key goes nowhere but where it was sent
            connect_timeout=timedelta(seconds=CONNECT_WITHIN_S),
            pool_idle_timeout=timedelta(seconds=IDLE_KEPT_S),
            http1_only=True,
            dns_options=wreq.dns.DnsOptions(system_dns=True),
            tls_verify=trusted_certificates(),
            # Each request is told its proxy. Without any, some systems have settings of their own.
            no_proxy=bool(self._proxies) or sys.platform not in _WITH_OWN_PROXIES,
        )
        return self._client

    def after_fork(self) -> None:
        """The threads of the client are the parent's, and so are its connections."""
        if self._client is not None:
            keep_forever(self._client)
            self._client = None

    def send(self, call: Call) -> Coroutine[Any, Any, Reply]:
        """Send and read the whole reply. Raises TransportError."""
        return self._plain.send(call) if self._plain.takes(call) else self._send(call)

    async def _send(self, call: Call) -> Reply:
        try:
            response = await self._start(call)
            self._check_proxy(response, call)
            return await read_reply(response, call, Reply)
        except (asyncio.CancelledError, Exception) as error:
            raise self._translate(error, call) from None

    def stream(self, call: Call) -> AsyncGenerator[Head | bytes]:
        """Send and read the reply as it comes, the head first. Closing it early closes the
        connection. Raises TransportError.
        """
        return self._plain.stream(call) if self._plain.takes(call) else self._stream(call)

    async def _stream(self, call: Call) -> AsyncGenerator[Head | bytes]:
        response = await self._step(self._start(call, streamed=True), call)
        try:
            self._check_proxy(response, call)
            if response.status.as_int() != 200:
                yield await self._step(read_reply(response, call, Head), call)
                return
            yield Head(200, Headers(response.headers), b"")
            pieces, size = response.stream(), 0
            while (piece := await self._step(anext(pieces, None), call)) is not None:
                if isinstance(piece, memoryview):  # else trailers
                    size += len(piece)
                    if size > call.max_reply_bytes:
                        raise too_large(call)
                    yield bytes(piece)
        finally:
            await response.close()

    async def close(self) -> None:
        """Close all connections. Closing twice is fine."""
        self._closed = True
        self._plain.close()
        client, self._client = self._client, None  # its idle connections go with it
        if client is not None:
            client.close()

    def _start(self, call: Call, *, streamed: bool = False) -> Awaitable[wreq.Response]:
        if self._closed:
            raise closed(call)
        client = self._client or self._open()
        headers, body = call.headers, call.body
        # A stream that flows is not cut; any other reply has to be whole in time.
        name = "read_timeout" if streamed else "timeout"
        options: dict[str, Any] = {name: timedelta(seconds=call.timeout_s)}
        if self._proxies and (proxy := self._proxies.find(call.url)) is not None:
            options["proxy"] = proxy.handle
        if not isinstance(body, bytes):
            headers = {**headers, **headers_of(body)}
        return client.request(
            self._methods[call.method],
            call.url,
            headers=headers,
            **body_argument(body),
            **options,
        )

    def _check_proxy(self, response: wreq.Response, call: Call) -> None:
        """Raise AccessError where a proxy answered in place of whoever was asked."""
        if response.status.as_int() == _PROXY_REFUSES:
            proxy = self._proxies.find(call.url)
            if proxy is not None:
                raise refused_by_proxy(call, proxy)

    async def _step(self, work: Awaitable[ResultT], call: Call) -> ResultT:
        """A step of a stream; each may be taken by another task."""
        try:
            return await work
        except (asyncio.CancelledError, Exception) as error:
            ours = self._translate(error, call)
            raise (silent(call) if isinstance(ours, TransportTimeoutError) else ours) from None

    def _translate(self, error: BaseException, call: Call) -> BaseException:
        """The library's errors as ours. They are not chained: their texts hold the whole URL,
        which may hold a key.
        """
        if not isinstance(error, asyncio.CancelledError):
            return translate(error, call, self._proxies.find(call.url))
        # The library also cancels what is in flight when its client is closed.
        task = asyncio.current_task()
        is_cancelled = not self._closed or (task is not None and task.cancelling() > 0)
        return error if is_cancelled else closed(call)
