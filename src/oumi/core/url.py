"""Checks of addresses that come from outside, before anything is made of them."""

from __future__ import annotations

from urllib.parse import urlsplit


def check_url(url: str) -> None:
    """Raise ValueError for an address that would be read in two ways, or that holds a password.

    Parsers drop line breaks in silence, and what follows one could become a header.
    """
    if any(character.isspace() or _is_control(character) for character in url.strip()):
        raise ValueError("holds a space, a line break or another control character")
    try:
        parts = urlsplit(url.strip() if "://" in url else f"//{url.strip()}")
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"not an address: {error}") from None
    if "@" in parts.netloc:
        raise ValueError(
            "holds a user name or a password, which would stand in files and logs; leave them out, "
            "and give the key as remote_params.api_key"
        )


def _is_control(character: str) -> bool:
    """Whether a character is one of ASCII's control characters."""
    return character < " " or character == "\x7f"
