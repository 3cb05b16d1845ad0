"""Loads files from the web, from hosts that are allowed, of a bounded size and in bounded time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from oumi.backends.certificates import trusted_certificates
from oumi.backends.media.files import too_large
from oumi.backends.media.hosts import Target, resolve
from oumi.core.forks import keep_forever, watch_forks
from oumi.errors import InputError, UnavailableError

if TYPE_CHECKING:
    import wreq

# Large images on slow servers take some seconds. Without a limit, a server that never answers would
# block its row for good.
_TIMEOUT_S = 60.0
_MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def load(url: str, allowed_hosts: Collection[str], max_bytes: int) -> bytes:
    """The body that a URL leads to. Proxies are not used: they would connect where they like.

    Raises InputError for what is not allowed, too large or not there, UnavailableError for what may
    be there later.
    """
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            return await _follow(url, allowed_hosts, max_bytes)
    except TimeoutError as error:
        raise UnavailableError(f"{url[:300]}: not loaded within {_TIMEOUT_S:g} s") from error


async def _follow(url: str, allowed_hosts: Collection[str], max_bytes: int) -> bytes:
    for _ in range(_MOST_REDIRECTS + 1):
        target = await resolve(url, allowed_hosts)
        found = await _get(target, max_bytes)
        if isinstance(found, bytes):
            return found
        url = _redirected(url, found)
    raise InputError(f"{url[:300]}: more than {_MOST_REDIRECTS} redirects")


def _redirected(url: str, location: str) -> str:
    try:
        target = urljoin(url, location)
        scheme = urlsplit(target).scheme
    except ValueError as error:
        raise InputError(f"{url[:300]}: a redirect to no URL: {location[:300]}") from error
    if scheme not in ("http", "https"):
        raise InputError(f"{target[:300]}: a redirect to what is no web page")
    return target


async def _get(target: Target, max_bytes: int) -> bytes | str:
    """The body, or where a redirect leads."""
    import wreq

    try:
        response = await _client(target).request(wreq.Method.GET, target.url)
        async with response:
            _check_address(response, target)
            location = response.headers.get("location")
            if response.status.as_int() in _REDIRECTS and location is not None:
                return str(location, "latin-1")
            _check_status(response, target)
            return await _read(response, target, max_bytes)
    except _errors() as error:
        raise UnavailableError(f"{target.url[:300]}: cannot be loaded: {error}") from error


async def _read(response: wreq.Response, target: Target, max_bytes: int) -> bytes:
    body = bytearray()
    async with response.stream() as chunks:
        async for chunk in chunks:
            if isinstance(chunk, memoryview):  # else trailers
                body += chunk
            if len(body) > max_bytes:
                raise too_large(target.url[:300], max_bytes)
    return bytes(body)


def _check_address(response: wreq.Response, target: Target) -> None:
    """The connection can go nowhere else; this holds even if the HTTP stack changes its mind."""
    remote = response.remote_addr
    if remote is None or remote.ip() not in target.addresses:
        raise InputError(f"{target.url[:300]}: answered by another host than {target.host}")


def _check_status(response: wreq.Response, target: Target) -> None:
    status = response.status.as_int()
    if status != 200:
        error_type = UnavailableError if status >= 500 or status in (408, 429) else InputError
        raise error_type(f"{target.url[:300]}: HTTP status {status}", status=status)


def _client(target: Target) -> wreq.Client:
    """A client for one request, which connects to the target's addresses alone."""
    import wreq

    names = wreq.dns.DnsOptions(system_dns=True)
    names.add_resolve(target.host, list(target.addresses))
    return wreq.Client(
        runtime=_RUNTIME.get(),
        user_agent="oumi",
        no_proxy=True,
        redirect=wreq.redirect.Policy.none(),  # each is checked first
        dns_options=names,
        http1_only=True,
        tls_verify=trusted_certificates(),
    )


class _Runtime:
    """The thread of the HTTP library, which all loading shares."""

    def __init__(self) -> None:
        self._runtime: wreq.runtime.Runtime | None = None
        watch_forks(self)

    def get(self) -> wreq.runtime.Runtime:
        """It runs, in this process."""
        import wreq

        if self._runtime is None:
            self._runtime = wreq.runtime.Runtime(workers=1, thread_name="oumi-media")
        return self._runtime

    def after_fork(self) -> None:
        """The thread is the parent's."""
        if self._runtime is not None:
            keep_forever(self._runtime)
            self._runtime = None


_RUNTIME = _Runtime()


@cache
def _errors() -> tuple[type[Exception], ...]:
    from wreq import exceptions

    return tuple(value for value in vars(exceptions).values() if isinstance(value, type))
