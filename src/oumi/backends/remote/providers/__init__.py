"""The providers of APIs: one file each, which holds one frozen row, `PROVIDER`.

A file is named after its engine, in lower case, and nothing else lies in this folder: adding a
file adds a provider. Rows are loaded when they are asked for, each by itself.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from oumi.backends.provider import Provider

__all__ = ["PROVIDERS", "find_provider", "provider_names"]

PROVIDERS: tuple[Provider, ...]
"""All rows, in the order of their names. Made when it is first read."""


@cache
def provider_names() -> tuple[str, ...]:
    """The names of all providers, in alphabetical order. Loads no row."""
    return tuple(sorted(module.name.upper() for module in pkgutil.iter_modules(__path__)))


@cache
def find_provider(name: str) -> Provider:
    """The row of a provider, by the exact name of its engine. Raises KeyError."""
    if name not in provider_names():
        raise KeyError(name)
    file = name.lower()
    provider: Provider = import_module(f"{__name__}.{file}").PROVIDER
    if provider.name != name:
        raise ValueError(f"providers/{file}.py: expected the name {name!r}, not {provider.name!r}")
    return provider


def __getattr__(name: str) -> Any:
    if name == "PROVIDERS":
        return tuple(find_provider(each) for each in provider_names())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
