"""The HTTP stack: a call goes out, a reply or a TransportError comes back.

Nothing here knows what is said, and nothing is ever sent twice: whoever calls decides on that,
and takes every TransportError as "may have been answered".
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar
from urllib.parse import urlsplit

from oumi.backends.remote.http.open_files import allow_many_connections
from oumi.backends.remote.http.uploads import Body, body_argument, headers_of
from oumi.errors import ConfigError, UnavailableError

if TYPE_CHECKING:
    import wreq

ResultT = TypeVar("ResultT")

_CONNECT_WITHIN = timedelta(seconds=20)
_IDLE_CONNECTIONS_KEPT = timedelta(seconds=25)
_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_CANNOT_CONNECT = "cannot connect to it"
_WHAT = {
    "ConnectionError": _CANNOT_CONNECT,
    "ProxyConnectionError": "cannot connect to it through the proxy",
    "ConnectionResetError": "the connection was lost",
    "BodyError": "the connection was lost in mid-reply",
    "DecodingError": "the reply was cut off or garbled",
    "TimeoutError": _CANNOT_CONNECT,
    "TlsError": "no secure connection",
}
_TOO_LONG = "source: TimedOut"
_UNTRUSTED = " (its certificate is not trusted; SSL_CERT_FILE can name a bundle of your own)"


class TransportError(UnavailableError):
    """No whole reply came. The server may have answered all the same."""


class TransportTimeoutError(TransportError):
    """The reply was not whole in time."""

    @property
    def overload(self) -> bool:
        """A server that does not answer may have too much to do."""
        return True


@dataclass(frozen=True, slots=True)
class Call:
    """A request, ready to be sent. Headers may hold a key, so they are not shown."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Body = field(repr=False)
    timeout_s: float


class Reply(NamedTuple):
    """What came back, whatever the status. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Head(Reply):
    """How a streamed reply begins. With status 200 the body follows in chunks, which are cut
    anywhere; with any other it is whole in `body`, and nothing follows.
    """


class Transport(Protocol):
    """Moves bytes. `timeout_s` ends a call however slowly the reply drips in, and a call that is
    cancelled closes its connection.
    """

    async def send(self, call: Call) -> Reply:
        """Send and read the whole reply. Raises TransportError."""
        ...

    def stream(self, call: Call) -> AsyncGenerator[Head | bytes]:
        """Send and read the reply as it comes, the head first. Closing it early closes the
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
    trusted certificates from SSL_CERT_FILE or REQUESTS_CA_BUNDLE, read when it is made.
    """

    # wreq because it drops the connection of a call that is cancelled. pyreqwest is as fast and
    # lets such a call run on (https://docs.rs/tokio/latest/tokio/task/struct.JoinHandle.html: a
    # dropped handle detaches its task); aiohttp takes twice the CPU time.

    def __init__(self) -> None:
        import wreq

        self._client: wreq.Client | None = wreq.Client(
            runtime=wreq.runtime.Runtime(workers=1, thread_name="oumi-http"),
            user_agent="oumi",
            redirect=wreq.redirect.Policy.none(),  # a key goes nowhere but where it was sent
            connect_timeout=_CONNECT_WITHIN,
            pool_idle_timeout=_IDLE_CONNECTIONS_KEPT,
            http1_only=True,
            dns_options=wreq.dns.DnsOptions(system_dns=True),
            tls_verify=_trusted(),
        )
        self._methods = {name: getattr(wreq.Method, name) for name in ("GET", "POST", "DELETE")}

    async def send(self, call: Call) -> Reply:
        """Send and read the whole reply. Raises TransportError."""
        try:
            response = await self._start(call)
            body = await response.bytes()
            return Reply(response.status.as_int(), _Headers(response.headers), bytes(body))
        except (asyncio.CancelledError, Exception) as error:
            raise self._translate(error, call) from None

    async def stream(self, call: Call) -> AsyncGenerator[Head | bytes]:
        """Send and read the reply as it comes, the head first. Closing it early closes the
        connection. Raises TransportError.
        """
        response = await self._step(self._start(call), call)
        try:
            if response.status.as_int() != 200:
                body = await self._step(response.bytes(), call)
                yield Head(response.status.as_int(), _Headers(response.headers), bytes(body))
                return
            yield Head(200, _Headers(response.headers), b"")
            pieces = response.stream()
            while (piece := await self._step(anext(pieces, None), call)) is not None:
                if isinstance(piece, memoryview):  # else trailers
                    yield bytes(piece)
        finally:
            await response.close()

    async def close(self) -> None:
        """Close all connections. Closing twice is fine."""
        client, self._client = self._client, None  # its idle connections go with it
        if client is not None:
            client.close()

    def _start(self, call: Call) -> Awaitable[wreq.Response]:
        if self._client is None:
            raise _closed(call)
        headers, body = call.headers, call.body
        if not isinstance(body, bytes):
            headers = {**headers, **headers_of(body)}
        return self._client.request(
            self._methods[call.method],
            call.url,
            headers=headers,
            **body_argument(body),
            timeout=timedelta(seconds=call.timeout_s),  # until the reply is whole
        )

    async def _step(self, work: Awaitable[ResultT], call: Call) -> ResultT:
        """A step of a stream; each may be taken by another task."""
        try:
            return await work
        except (asyncio.CancelledError, Exception) as error:
            raise self._translate(error, call) from None

    def _translate(self, error: BaseException, call: Call) -> BaseException:
        """The library's errors as ours. They are not chained: their texts hold the whole URL,
        which may hold a key.
        """
        if not isinstance(error, asyncio.CancelledError):
            return _translate(error, call)
        # The library also cancels what is in flight when its client is closed.
        task = asyncio.current_task()
        is_cancelled = self._client is not None or (task is not None and task.cancelling() > 0)
        return error if is_cancelled else _closed(call)


class _Headers(Mapping[str, str]):
    """The headers of a reply. Each is decoded when it is asked for: of most replies none is."""

    __slots__ = ("_headers",)

    def __init__(self, headers: wreq.header.HeaderMap):
        self._headers = headers

    def __getitem__(self, name: str) -> str:
        value = self._headers.get(name)
        if value is None:
            raise KeyError(name)
        return str(value, "latin-1")

    def get(self, name: str, default: Any = None) -> Any:
        value = self._headers.get(name)
        return default if value is None else str(value, "latin-1")

    def __iter__(self) -> Iterator[str]:
        return (str(name, "ascii") for name, _ in self._headers)

    def __len__(self) -> int:
        return self._headers.keys_len()


def _host(call: Call) -> str:
    return urlsplit(call.url).netloc.rpartition("@")[2] or "api_url"


def _closed(call: Call) -> TransportError:
    return TransportError(f"{_host(call)}: the transport is closed")


def _translate(error: BaseException, call: Call) -> BaseException:
    """Ours for the library's; any other as it is."""
    host = _host(call)
    name = type(error).__name__
    if name == "BuilderError":
        return ConfigError(f"{host}: its URL is none that can be asked")
    if isinstance(error, RuntimeError) and str(error).startswith("Invalid header"):
        return ConfigError(f"{host}: a header or the key holds characters that cannot be sent")
    if not isinstance(error, _library_errors()):
        return error
    if _TOO_LONG in str(error):
        return TransportTimeoutError(f"{host}: no whole reply within {call.timeout_s:g} s")
    what = _WHAT.get(name, "the connection was closed before the reply")
    return TransportError(f"{host}: {what}{_reason(str(error))}")


@cache
def _library_errors() -> tuple[type[Exception], ...]:
    from wreq import exceptions

    return tuple(value for value in vars(exceptions).values() if isinstance(value, type))


def _reason(text: str) -> str:
    """The part of the library's text that helps, and can hold nothing secret."""
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return _UNTRUSTED
    if "dns error" in text:
        return " (no such host name)"
    found = re.search(r'kind: \w+, message: "([\w ]+)"', text)
    return f" ({found[1].lower()})" if found else ""


def _trusted() -> Path | bool:
    """The user's bundle of certificates, or the library's."""
    for name in _CA_VARIABLES:
        if value := os.environ.get(name):
            if not Path(value).is_file():
                raise ConfigError(f"{name} names {value}, which is no file")
            return Path(value)
    return True
