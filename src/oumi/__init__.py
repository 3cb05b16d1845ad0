"""oumi-infer: one library and one command for LLM inference, here or behind any API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oumi import compat

if TYPE_CHECKING:
    from oumi.cli.chat import infer_interactive
    from oumi.quick import get_engine, infer
    from oumi.quick_table import infer_table

    __version__: str

__all__ = ["__version__", "get_engine", "infer", "infer_interactive", "infer_table"]

compat.install()


def __getattr__(name: str) -> Any:
    if name in ("get_engine", "infer"):
        from oumi import quick

        return getattr(quick, name)
    if name == "infer_table":
        from oumi.quick_table import infer_table

        return infer_table
    if name == "infer_interactive":
        from oumi.cli.chat import infer_interactive

        return infer_interactive
    if name == "__version__":
        from importlib.metadata import version

        return version("oumi-infer")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__, "core", "errors", "inference"]
