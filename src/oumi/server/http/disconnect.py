"""What a connection tells the request on it, in the extensions of its ASGI scope."""

from __future__ import annotations

import asyncio
from typing import Any

DISCONNECT = "oumi.disconnect"
"""The `Disconnect` of the connection."""
BODY_IS_WHOLE = "oumi.body_is_whole"
"""There once the whole body has come, so that nothing has to be waited for."""


class ClientLeftError(Exception):
    """Nobody waits for the reply any more."""


class Disconnect:
    """Whether the client has gone away. The connection tells it, so that no task has to wait for
    that beside each request.

    Within `with`, a client that goes away cancels the task, and ClientLeftError is raised.
    """

    __slots__ = ("_has_cancelled", "_loop", "_task", "has_happened")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop  # to ask which one runs is a call of the system in Python 3.11
        self._task: asyncio.Task[Any] | None = None  # that works for the client
        self._has_cancelled = False
        self.has_happened = False

    def __enter__(self) -> None:
        if self.has_happened:
            raise ClientLeftError
        self._task = asyncio.current_task(self._loop)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        task, self._task = self._task, None
        if kind is asyncio.CancelledError and self._has_cancelled and task is not None:
            task.uncancel()
            raise ClientLeftError from None

    def happen(self) -> None:
        """The client is gone."""
        self.has_happened = True
        if self._task is not None:
            self._has_cancelled = True
            self._task.cancel()

    def is_answered(self) -> None:
        """The reply is whole: the client may close the connection, and the work for it go on."""
        if not self._has_cancelled:
            self._task = None
