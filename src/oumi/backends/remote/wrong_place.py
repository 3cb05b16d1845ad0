"""Replies which show that requests go to the wrong place: redirects, refusals of proxies, pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urljoin

from oumi.backends.remote.errors import BadReplyError, PageError
from oumi.backends.remote.http.call import Call, Reply
from oumi.backends.remote.http.key_mask import find_mask
from oumi.backends.remote.pages import is_page
from oumi.core.urls import mask_url
from oumi.errors import AccessError, ConfigError, OumiError

DecodedT = TypeVar("DecodedT")

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PROXY_REFUSES = 407
_NOT_ALLOWED = 405
_SHOWN = 300
_MEANT = (b"{", b"[", b"data:", b"event:", b":")
"""How JSON and a stream of events begin, which some servers call HTML."""


def misdirected(reply: Reply, call: Call, name: str) -> OumiError | None:
    """The error for a reply to an engine's call that says so by its status."""
    if reply.status in _REDIRECTS:
        return _redirected(reply, call, name)
    if reply.status == _PROXY_REFUSES:
        return AccessError(
            f"{name} answered 407: a proxy on the way asks for a user name and a password. If it "
            "is yours, name it in HTTPS_PROXY or HTTP_PROXY, as http://USER:PASSWORD@HOST:PORT",
            status=reply.status,
        )
    if reply.status == _NOT_ALLOWED:
        return ConfigError(
            f"{name} answered 405{_words(reply)}. {mask_url(call.url)} takes no {call.method}: "
            "check remote_params.api_url",
            status=reply.status,
        )
    return None


def decode_unless_page(
    decode: Callable[[bytes], DecodedT], headers: Mapping[str, str], body: bytes
) -> DecodedT:
    """The decoded body of a reply, or the beginning of one.

    Raises what `decode` raises, and PageError in its place for what was sent as HTML, and is
    neither an answer nor meant to be one.
    """
    try:
        return decode(body)
    except PageError:
        raise
    except BadReplyError as error:
        is_html = headers.get("content-type", "").lower().startswith("text/html")
        if is_html and not body.lstrip().startswith(_MEANT):
            raise PageError(error.reply or "") from error
        raise


def _redirected(reply: Reply, call: Call, name: str) -> ConfigError:
    location = reply.headers.get("location", "")
    if not location:
        what = "a redirect that names no target"
    else:
        mask = find_mask(call.headers, call.url)
        what = f"a redirect to {mask_url(mask.mask_text(_target(call.url, location)))[:_SHOWN]}"
    return ConfigError(
        f"{name} answered {reply.status}{_words(reply)}: {what}. It is not followed, so that a key "
        "goes nowhere but where it was sent: set remote_params.api_url to where the API is",
        status=reply.status,
    )


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # it is no URL
        return location


def _words(reply: Reply) -> str:
    """What the server says besides, where it is no page."""
    text = reply.body[:_SHOWN].decode(errors="replace").strip()
    return f" ({text})" if text and not is_page(text) else ""
