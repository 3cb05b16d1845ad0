"""The entries of `allowed_media_hosts`: names of hosts, addresses and networks."""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")


def check_host(entry: str) -> None:
    """Raise ValueError for an entry that could never match."""
    if _NAME.fullmatch(entry):
        return
    import ipaddress  # needed for addresses only

    try:
        if "%" in entry:  # the scope of an address, which a URL does not have
            raise ValueError(entry)
        ipaddress.ip_network(entry)
    except ValueError:
        raise ValueError(
            f"{entry!r}: expected a host name, an address or a network, such as images.internal, "
            "127.0.0.1 or 10.0.0.0/8, without scheme, port and path"
        ) from None
