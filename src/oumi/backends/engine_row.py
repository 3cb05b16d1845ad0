"""Facts about an engine."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

from oumi.backends.remote.providers import Provider
from oumi.core.configs import InferenceEngineType


@dataclass(frozen=True)
class EngineRow:
    """Facts about an engine. Settings are dotted names such as `generation.top_k`."""

    engine: InferenceEngineType
    class_name: str
    backend: str
    """Where the backend is: `module:class`."""
    summary: str
    runtime: str
    """The package that has to be importable."""
    install: str
    """How to get it."""
    supports: frozenset[str]
    """Settings it can honour."""
    ignores: frozenset[str] = frozenset()
    """Settings that its model files decide themselves; named in a warning, not refused."""
    provider: Provider | None = None
    """The facts of an API; None for a model on this machine."""

    def is_installed(self) -> bool:
        """Whether the runtime is importable here; it is not imported."""
        return importlib.util.find_spec(self.runtime) is not None
