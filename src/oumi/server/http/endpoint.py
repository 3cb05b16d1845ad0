"""An endpoint: what happens around each handler of requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oumi.core.logs import logger
from oumi.server.http.api_keys import ApiKeys
from oumi.server.http.disconnect import ClientLeftError
from oumi.server.http.errors import QUOTA, HttpError, to_http_error
from oumi.server.http.exchange import JSON, Exchange
from oumi.server.http.loopback import is_loopback

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Handler = Callable[[Exchange], Awaitable[None]]

_NO_RETRY = (b"x-should-retry", b"false")
"""Official clients try anything with status 429 again, unless this says that it is in vain."""
_CLIENT_LEFT = 499
"""What nginx logs for a client that went away before its reply."""


@dataclass(frozen=True, slots=True)
class ErrorForm:
    """How an API writes an error: as the body of a reply, and as an event in a stream."""

    body: Callable[[HttpError, str], bytes]
    event: Callable[[HttpError, str], bytes]


@dataclass(slots=True)
class HttpRules:
    """What holds for all endpoints of a server."""

    keys: ApiKeys
    max_body_bytes: int
    origins: Collection[str]
    """Web pages that may ask."""
    on_end: Callable[[str, int, float], object] = field(repr=False)
    """Called with the path of the endpoint, the status and the seconds of each request, at its
    end."""

    def check(self, exchange: Exchange) -> str:
        """The name of the key of a request. Raises HttpError for one that is not let in.

        Without keys, whatever runs on this machine may ask, but no web page that a browser on it
        shows: a page can send requests to any address, and claim any host name for it.
        """
        if self.keys:
            return self.keys.check(exchange)
        origin = exchange.header(b"origin")
        if origin is not None and origin not in self.origins and "*" not in self.origins:
            raise HttpError(403, f"the origin {origin[:100]!r} is none that --cors names")
        host = exchange.header(b"host") or "localhost"
        if not _is_this_machine(host):
            raise HttpError(403, f"the host {host[:100]!r} is not this machine")
        return ""


@lru_cache(maxsize=64)  # clients send few different ones, each with all of its requests
def _is_this_machine(host: str) -> bool:
    return is_loopback(urlsplit(f"//{host}").hostname or "")


class Endpoint:
    """An ASGI app of one handler. It checks the key, gives the request an id, turns errors into
    replies, and writes a line of log, in which nothing of a prompt is. Without a key it answers
    where it `is_open`. `path` is the pattern under which metrics count it.
    """

    def __init__(
        self,
        path: str,
        handler: Handler,
        form: ErrorForm,
        rules: HttpRules,
        *,
        is_open: bool = False,
    ):
        self._path = path
        self._handler = handler
        self._form = form
        self._rules = rules
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started_s = time.monotonic()
        exchange = Exchange(scope, receive, send, self._rules.max_body_bytes)
        try:
            await self._answer(exchange)
        except ClientLeftError:
            exchange.status = _CLIENT_LEFT
        except asyncio.CancelledError:  # the server has waited long enough
            await self._send_error(exchange, HttpError(503, "the server is stopping", wait_s=1.0))
        took_s = time.monotonic() - started_s
        self._rules.on_end(self._path, exchange.status, took_s)
        logger.info(
            "%s %s %s %d %.0f ms",
            exchange.request_id, scope["method"], scope["path"], exchange.status, 1000 * took_s,
        )  # fmt: skip

    async def _answer(self, exchange: Exchange) -> None:
        try:
            if not self._is_open:
                exchange.caller = self._rules.check(exchange)
            await self._handler(exchange)
        except ClientLeftError:
            raise
        except Exception as error:
            await self._send_error(exchange, to_http_error(error))

    async def _send_error(self, exchange: Exchange, error: HttpError) -> None:
        logger.info("%s: %d: %s", exchange.request_id, error.status, error.message)
        if exchange.has_begun:
            await exchange.end_stream(self._form.event(error, exchange.request_id))
            exchange.status = error.status
            return
        headers = [JSON]
        if error.wait_s is not None:
            headers.append((b"retry-after", str(max(1, ceil(error.wait_s))).encode()))
        if error.code == QUOTA:
            headers.append(_NO_RETRY)
        if error.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        body = self._form.body(error, exchange.request_id)
        await exchange.reply(error.status, body, headers)
