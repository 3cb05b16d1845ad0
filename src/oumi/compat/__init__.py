"""Module paths of the upstream library, for code that imports from them.

`MODULES` maps each path to where its names are here; a module of that path is made when it is
imported, and holds nothing of its own. What is not about inference is not there.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from oumi.compat.modules import MODULES


class _AliasModule(ModuleType):
    """A module whose names are those of other modules, looked up when they are asked for."""

    def __getattr__(self, name: str) -> Any:
        target = MODULES[self.__name__].get(name)
        if target is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        module, _, attribute = target.partition(":")
        value = importlib.import_module(module)
        return getattr(value, attribute) if attribute else value

    def __dir__(self) -> list[str]:
        return sorted(MODULES[self.__name__])


class _InferModule(_AliasModule):
    """`oumi.infer` is a module upstream and a function in both; this one can be called."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.infer(*arguments, **named)


class AliasFinder(MetaPathFinder, Loader):
    """Finds the modules of the table, where no real module has their path."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module in the table."""
        if name not in MODULES:
            return None
        is_package = any(other.startswith(f"{name}.") for other in MODULES)
        return ModuleSpec(name, self, is_package=is_package)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """A module without names of its own."""
        kind = _InferModule if spec.name == "oumi.infer" else _AliasModule
        module = kind(spec.name, "Names of the upstream library.")
        module.__dict__["__all__"] = sorted(MODULES[spec.name])
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is executed: names are looked up when they are asked for."""


def install() -> None:
    """Have the module paths of the table importable. Real modules go first."""
    sys.meta_path.append(AliasFinder())
