"""Where an engine has its backend: made with it, or again where the first one is out of reach."""

from __future__ import annotations

import threading
from typing import Any

from oumi.backends.base import Backend
from oumi.backends.engine_row import EngineRow
from oumi.backends.registry import effective_settings, load_backend
from oumi.core.configs import InferenceConfig
from oumi.core.forks import watch_forks
from oumi.errors import EngineError


class BackendSlot:
    """The backend under the settings of an engine, which is made when it is first asked for.

    In a forked child, a model that the parent has loaded is loaded again when it is asked for.
    """

    def __init__(self, row: EngineRow, config: InferenceConfig, arguments: dict[str, Any]):
        self._row = row
        self._config = config
        self._arguments = arguments
        self._backend: Backend | None = None
        self._closed = False
        self._opening = threading.Lock()
        watch_forks(self)

    def get(self) -> Backend:
        """The backend. Raises what is wrong with the settings, and EngineError once closed."""
        backend = self._backend
        if backend is None or backend.is_of_parent:
            with self._opening:
                backend = self._get_or_open()
        return backend

    def close(self) -> None:
        """Free what is held. Closing twice is fine."""
        self._closed = True
        if self._backend is not None and not self._backend.is_of_parent:
            self._backend.close()

    def after_fork(self) -> None:
        """A thread of the parent may be loading."""
        self._opening = threading.Lock()

    def _get_or_open(self) -> Backend:
        if self._backend is None or self._backend.is_of_parent:
            if self._closed:
                raise EngineError("the engine is closed")
            config = effective_settings(self._row, self._config)
            self._backend = load_backend(self._row, config)(self._row, config, **self._arguments)
        return self._backend
