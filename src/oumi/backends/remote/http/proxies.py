"""Which proxy a request goes through, by the environment.

HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in upper or lower case, lower case first, as curl
reads them (https://curl.se/docs/manpage.html#ENVIRONMENT). NO_PROXY takes what any of the usual
clients does: `*`, names with all names below them, a leading dot or `*.`, a port, addresses, and
networks such as 10.0.0.0/8.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from oumi.core.urls import check_url, mask_url
from oumi.errors import ConfigError

if TYPE_CHECKING:
    import wreq

_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxy:
    """A proxy, and the variable that names it. The URL may hold a password."""

    url: str
    variable: str

    def __str__(self) -> str:
        return f"{mask_url(self.url)} ({self.variable})"

    @property
    def has_password(self) -> bool:
        """Whether a user is named to it."""
        return urlsplit(self.url).username is not None

    @cached_property
    def handle(self) -> wreq.Proxy:
        """The same for the HTTP library."""
        import wreq

        return wreq.Proxy.all(self.url)


class Proxies:
    """The proxies of the environment as it is now. Raises ConfigError for one that is none."""

    def __init__(self, environment: Mapping[str, str] = os.environ):
        named = {scheme: _find_proxy(environment, scheme) for scheme in ("all", *_PORTS)}
        self._by_scheme = {scheme: named[scheme] or named["all"] for scheme in _PORTS}
        no_proxy = _find(environment, "no_proxy")[1]
        self._direct = no_proxy.replace(",", " ").lower().split()
        self._found: dict[tuple[str, str], Proxy | None] = {}

    def __bool__(self) -> bool:
        return any(self._by_scheme.values())

    def find(self, url: str) -> Proxy | None:
        """The proxy for a URL; None where it is asked directly."""
        parts = urlsplit(url)
        place = parts.scheme, parts.netloc
        if place not in self._found:
            self._found[place] = self._choose(parts)
        return self._found[place]

    def _choose(self, parts: SplitResult) -> Proxy | None:
        host = (parts.hostname or "").rstrip(".")
        port = parts.port or _PORTS.get(parts.scheme)
        is_direct = any(_matches(entry, host, port) for entry in self._direct)
        return None if is_direct else self._by_scheme.get(parts.scheme)


def _find(environment: Mapping[str, str], name: str) -> tuple[str, str]:
    """A variable in either case, and its value; empty where it is not set."""
    for variable in (name, name.upper()):
        # A CGI script's HTTP_PROXY is a header of whoever called it: https://httpoxy.org
        is_header = variable == "HTTP_PROXY" and "REQUEST_METHOD" in environment
        if (value := environment.get(variable, "").strip()) and not is_header:
            return variable, value
    return name, ""


def _find_proxy(environment: Mapping[str, str], scheme: str) -> Proxy | None:
    variable, url = _find(environment, f"{scheme}_proxy")
    if not url:
        return None
    url = url if "://" in url else f"http://{url}"
    try:
        check_url(url)
        parts = urlsplit(url)
        is_proxy = parts.scheme.lower() in _SCHEMES and bool(parts.hostname)
    except ValueError:
        is_proxy = False
    if not is_proxy:
        raise ConfigError(
            f"{variable} names no proxy: {mask_url(url)!r}; expected a URL such as http://HOST:PORT"
        )
    return Proxy(url, variable)


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY is about a host."""
    if entry == "*":
        return True
    name, only_port = _split_port(entry)
    if only_port is not None and only_port != port:
        return False
    name = name.removeprefix("*").strip(".")
    if _is_address(host):
        return _holds(name, host)
    return bool(name) and (host == name or host.endswith(f".{name}"))


def _split_port(entry: str) -> tuple[str, int | None]:
    """The name, address or network in an entry, and the port behind it."""
    if entry.startswith("["):
        name, _, port = entry[1:].partition("]")
        port = port.removeprefix(":")
    elif entry.count(":") == 1:
        name, _, port = entry.partition(":")
    else:
        return entry, None
    return name, int(port) if port.isdecimal() else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _holds(network: str, address: str) -> bool:
    try:
        return ip_address(address) in ip_network(network, strict=False)
    except ValueError:
        return False
