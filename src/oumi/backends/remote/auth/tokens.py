"""Access tokens, which expire and are renewed."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from oumi.backends.remote.http.call import Call
from oumi.core.forks import watch_forks


class TokenAuth(ABC):
    """Keeps a token until shortly before it expires."""

    def __init__(self) -> None:
        self._renewing = asyncio.Lock()
        watch_forks(self)

    def after_fork(self) -> None:
        """A task of the parent may hold the lock; credentials have locks and connections too."""
        self._renewing = asyncio.Lock()
        self._forget()

    async def apply(self, call: Call) -> Call:
        """The call with the token as `authorization`."""
        if not self._is_fresh():
            async with self._renewing:  # one task renews it, all others wait
                if not self._is_fresh():
                    await asyncio.to_thread(self._renew)
        return call._replace(headers={**call.headers, "authorization": f"Bearer {self._token}"})

    @property
    @abstractmethod
    def _token(self) -> str: ...

    @abstractmethod
    def _is_fresh(self) -> bool: ...

    @abstractmethod
    def _forget(self) -> None:
        """Have credentials found anew."""

    @abstractmethod
    def _renew(self) -> None:
        """Get another token. Blocks. Raises AccessError, UnavailableError."""
