"""Which hosts this machine may ask for what a row names: those of the public internet, and others
where `allowed_media_hosts` has them.

https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Collection
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NamedTuple
from urllib.parse import urlsplit

from oumi.errors import InputError, UnavailableError

Address = IPv4Address | IPv6Address

_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
# What URLs take for an IPv4 address, such as 2130706433, 0x7f.1 or 127.1:
# https://url.spec.whatwg.org/#ends-in-a-number-checker
_NUMBER = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)")
# Gateways translate these to the IPv4 address in the last 32 bits: RFC 6052
_NAT64 = IPv6Network("64:ff9b::/96")


class Target(NamedTuple):
    """A URL with the addresses to which alone a connection for it may go."""

    url: str
    host: str
    addresses: tuple[Address, ...]


async def resolve(url: str, allowed: Collection[str]) -> Target:
    """Where a URL leads, by the addresses that its host has now.

    The URL is put together anew, so that no other reading of it leads elsewhere. Raises InputError
    for one that is malformed or leads to a host that is not allowed, UnavailableError where the
    host is not found.
    """
    host, port, rest = _split(url)
    found = await _look_up(url, host, port)
    permitted = tuple(one for one in found if is_public(one) or _is_allowed(host, one, allowed))
    if not permitted:
        raise InputError(
            f"{url[:300]}: {host} is at {found[0]}, which is not on the public internet; "
            "allowed_media_hosts names the other hosts from which images may be loaded"
        )
    scheme = urlsplit(url).scheme
    is_name = _NAME.fullmatch(host) and not _NUMBER.fullmatch(host)
    name = host if is_name else _literal(permitted[0])
    return Target(f"{scheme}://{name}:{port}{rest}", host, permitted)


def is_public(address: Address) -> bool:
    """Whether an address, or the IPv4 address in it, is one of the public internet."""
    inner = _inner(address)
    if inner is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast


def _inner(address: Address) -> IPv4Address | None:
    """The IPv4 address to which an IPv6 address leads."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _is_allowed(host: str, address: Address, allowed: Collection[str]) -> bool:
    if host in (entry.lower() for entry in allowed):
        return True
    addresses = [one for one in (address, _inner(address)) if one is not None]
    networks = [network for entry in allowed if (network := _network(entry)) is not None]
    return any(one in network for one in addresses for network in networks)


@cache
def _network(entry: str) -> IPv4Network | IPv6Network | None:
    """The network that an entry of `allowed_media_hosts` is; None for a name."""
    try:
        return ip_network(entry)
    except ValueError:
        return None


def _split(url: str) -> tuple[str, int, str]:
    """The host, the port, and the rest: path and query."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if ":" not in host:
            host = host.encode("idna").decode().lower()
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:  # a UnicodeError is one too
        raise InputError(f"{url[:300]}: no URL: {error}") from error
    if parts.username is not None or not (":" in host or _NAME.fullmatch(host)):
        raise InputError(f"{url[:300]}: expected http(s)://HOST/PATH, without a user name")
    query = f"?{parts.query}" if parts.query else ""
    return host, port, (parts.path or "/") + query


async def _look_up(url: str, host: str, port: int) -> list[Address]:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnavailableError(f"{url[:300]}: no such host name: {error}") from error
    return [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]


def _literal(address: Address) -> str:
    return f"[{address}]" if address.version == 6 else str(address)
