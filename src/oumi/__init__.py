"""oumi-infer: one library and one command for LLM inference, here or behind any API."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oumi.quick import infer

__version__ = version("oumi-infer")
__all__ = ["__version__", "infer"]


def __getattr__(name: str) -> Any:
    if name == "infer":
        from oumi.quick import infer

        return infer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
