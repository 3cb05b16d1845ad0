"""What a connection tells the request on it, in the extensions of its ASGI scope."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

DISCONNECT = "oumi.disconnect"
"""The `Disconnect` of the connection."""
BODY_IS_WHOLE = "oumi.body_is_whole"
"""There once the whole body has come, so that nothing has to be waited for."""


class Disconnect:
    """Whether the client has gone away. The connection calls back, so that no task has to wait for
    it beside each request.
    """

    __slots__ = ("callback", "has_happened", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        """That of the connection. To ask which one runs is a call of the system in Python 3.11."""
        self.has_happened = False
        self.callback: Callable[[], object] | None = None
        """That of the request that is being answered."""

    def happen(self) -> None:
        """The client is gone."""
        self.has_happened = True
        if self.callback is not None:
            self.callback()
