"""From an output's path or URL to its parts."""

from __future__ import annotations

from pathlib import Path

from oumi.core.urls import is_url
from oumi.runner.parts.attempts import Attempts


def open_attempts(output_path: str) -> Attempts:
    """The attempts at the parts of an output, on a disk or in an object store.

    Raises what RemoteFolder raises.
    """
    if not is_url(output_path):
        return Attempts(Path(output_path).resolve())
    from oumi.runner.parts.remote_attempts import RemoteAttempts

    return RemoteAttempts(output_path)
