"""Settings that name a file may be given as objects such as `pathlib.Path`."""

from __future__ import annotations

import os
from typing import Any


def path_text(value: Any) -> Any:
    """The text of a path object, or of those in a list; anything else as it is."""
    if isinstance(value, list):
        return [path_text(item) for item in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value
