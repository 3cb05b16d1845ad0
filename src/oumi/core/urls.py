"""Addresses that come from outside: checked before anything is made of them, and shown without
what is secret in them, user name and password, and the values of a query."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_USER = re.compile(r"(?:(?<=//)|^)[^/?#\s]*@")
# An API version is all that a query may hold that is no secret and is needed again.
_VALUE = re.compile(r"(?<=[?&])(?!api-version=)([^=&#\s]*)(=?)[^&#\s]*")


def is_url(path: str) -> bool:
    """Whether what may be a path is a URL, such as `s3://bucket/name`."""
    return _SCHEME.match(path) is not None


def check_url(url: str) -> None:
    """Raise ValueError for an address that would be read in two ways.

    Parsers drop line breaks in silence, and what follows one could become a header.
    """
    if any(character.isspace() or _is_control(character) for character in url.strip()):
        raise ValueError("holds a space, a line break or another control character")
    try:
        _ = urlsplit(url.strip() if "://" in url else f"//{url.strip()}").port
    except ValueError as error:
        raise ValueError(f"not an address: {error}") from None


def mask_url(url: str) -> str:
    """A URL to be shown, with `***` in place of each secret."""
    return _VALUE.sub(_mask_value, _USER.sub("***@", url))


def without_secrets(url: str) -> str:
    """A URL to be written down: no user, no password, and of a query only the API version."""
    head, _, query = _USER.sub("", url).partition("?")
    kept = [part for part in query.split("&") if part.startswith("api-version=")]
    return f"{head}?{kept[0]}" if kept else head


def _mask_value(value: re.Match[str]) -> str:
    # Without a `=`, the name itself may be the secret.
    return f"{value[1]}=***" if value[2] else "***" if value[1] else ""


def _is_control(character: str) -> bool:
    """Whether a character is one of ASCII's control characters."""
    return character < " " or character == "\x7f"
