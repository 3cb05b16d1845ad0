"""Headers of the user's own, which each request carries: checked, and shown without keys."""

from __future__ import annotations

import re
from collections.abc import Mapping

from oumi.core.secret_names import may_hold_key

MASK = "**********"

# RFC 9110, 5.6.2: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_END = re.compile(r"[:=\s]")
_OF_THE_CONNECTION = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "content-type"),
        *("expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization"),
        *("proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)
"""They follow from the address, the body and the connection: another value would break the request,
or have it read in two ways."""


class MaskedValue(str):
    """The value of a header, which a `repr` of whatever holds it does not show."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(MASK)


def check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers; values that may be keys print masked. Raises ValueError for what cannot be sent,
    in words that hold no value.
    """
    seen: set[str] = set()
    for name, value in headers.items():
        _check_name(name)
        if name.lower() in seen:
            raise ValueError(f"{name} is given twice: upper and lower case are the same")
        seen.add(name.lower())
        if not value.isascii() or not value.replace("\t", " ").isprintable():
            raise ValueError(
                f"{name}: its value holds a line break, a control character or a letter beyond "
                "ASCII, which no header may hold"
            )
    return {name: _value(name, value) for name, value in headers.items()}


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers to be shown."""
    return {name: MASK if may_hold_key(name) else value for name, value in headers.items()}


def headers_without_keys(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers to be written down."""
    return {name: value for name, value in headers.items() if not may_hold_key(name)}


def _value(name: str, value: str) -> str:
    return MaskedValue(value) if may_hold_key(name) else str(value)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        shown = _END.split(name)[0]  # a value may follow
        raise ValueError(
            f"{shown!r:.80}… is no name of a header: letters, digits and hyphens are expected"
        )
    if name.lower() in _OF_THE_CONNECTION:
        raise ValueError(f"{name} cannot be set: it follows from the request and its connection")
