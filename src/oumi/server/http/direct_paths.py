"""Paths that are found without a router."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class DirectPaths:
    """An ASGI app that answers POST requests to some paths itself, and leaves others to `routed`.

    Starlette tries one pattern after the other, and wraps `send` twice to turn errors into replies,
    which endpoints do themselves. That takes a twelfth of a whole answer, and two calls for each
    event of a stream.
    """

    def __init__(self, endpoints: Mapping[str, ASGIApp], routed: ASGIApp):
        self._endpoints = endpoints
        self._routed = routed

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request."""
        endpoint = self._endpoints.get(scope["path"]) if scope["method"] == "POST" else None
        return (endpoint or self._routed)(scope, receive, send)
