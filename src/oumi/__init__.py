"""oumi-infer: one library and one command for LLM inference, here or behind any API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oumi.quick import infer

    __version__: str

__all__ = ["__version__", "infer"]


def __getattr__(name: str) -> Any:
    if name == "infer":
        from oumi.quick import infer

        return infer
    if name == "__version__":
        from importlib.metadata import version

        return version("oumi-infer")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
