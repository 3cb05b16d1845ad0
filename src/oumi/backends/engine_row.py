"""What there is to know about an engine: one frozen row."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from typing import Any

from oumi.backends.remote.provider import Provider
from oumi.errors import MissingDependencyError


@dataclass(frozen=True, kw_only=True)
class EngineRow:
    """Facts about one engine. Settings are named by their path, such as `generation.top_k`."""

    name: str
    """What `engine` in a config says."""
    class_name: str
    module: str
    """The module that holds the class; it may import its runtime."""
    summary: str
    """What it is, in a few words, as they go on after "LLAMACPP: "."""
    runtime: str
    """The package that has to be importable."""
    install: str
    """The command that installs it."""
    supports: frozenset[str]
    """Settings that it uses. All others are refused."""
    ignores: frozenset[str] = frozenset()
    """Settings that the model's file or the server decides; named in a warning, not refused."""
    provider: Provider | None = None
    """The row of its API; None for an engine without one."""

    def is_installed(self) -> bool:
        """Whether the runtime is importable here; it is not imported."""
        return importlib.util.find_spec(self.runtime) is not None

    def load_class(self) -> type[Any]:
        """The engine's class, whose `engine_type` is the name of this row.

        Raises MissingDependencyError.
        """
        if not self.is_installed():
            raise MissingDependencyError(
                f"{self.name} needs {self.runtime}, which is not installed: {self.install}"
            )
        found: Any = getattr(importlib.import_module(self.module), self.class_name)
        return found if found.engine_type == self.name else _subclass(found, self.name)


@cache
def _subclass(kind: Any, name: str) -> type[Any]:
    """A class for a row that shares one with others; the same one each time."""
    return type(kind.__name__, (kind,), {"engine_type": name})
