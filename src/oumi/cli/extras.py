"""Packages that come with an extra, and are missed only by whoever needs them."""

from __future__ import annotations

from importlib.util import find_spec

from oumi.errors import MissingDependencyError

_SERVE = ("starlette", "uvicorn", "prometheus_client", "python_multipart")
"""Those of the extra `serve` that nothing else needs."""


def require_serve(command: str) -> None:
    """Raise MissingDependencyError unless what a command that serves needs is installed."""
    missing = [name for name in _SERVE if not find_spec(name)]
    if missing:
        raise MissingDependencyError(
            f"{command} needs {', '.join(missing)}: pip install 'oumi-infer[serve]'"
        )
