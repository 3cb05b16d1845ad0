"""The folder below which the files lie that the rows of an input may name."""

from __future__ import annotations

import re
from pathlib import Path

STANDARD_STREAM = "-"
"""In place of a path: standard input or standard output."""


def folder_of(path: str) -> Path:
    """The folder where an input lies: one that is given, or that of a file or a pattern.

    For standard input, a URL and a pipe it is the working directory.
    """
    if path == STANDARD_STREAM or "://" in path or Path(path).is_fifo():  # such as <(command)
        return Path()
    if Path(path).is_dir():
        return Path(path)
    pattern = re.search(r"[*?\[]", path)
    start = path if pattern is None or Path(path).exists() else path[: pattern.start()] + "x"
    return Path(start).parent
