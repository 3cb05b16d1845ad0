"""Reading a whole file that a user names, within limits."""

from __future__ import annotations

import os
import stat
from pathlib import Path

# On systems without it, opening a named pipe does not wait.
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def read_regular_file(path: Path, max_bytes: int) -> bytes:
    """The content of a file. Raises ValueError, which says why, for one that is missing or longer.

    Pipes and devices are refused, because they may never end or never begin.
    """
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | _NONBLOCK), "rb") as file:
            kind = stat.S_IFMT(os.fstat(file.fileno()).st_mode)
            if kind != stat.S_IFREG:
                raise ValueError(
                    f"{path}: expected a file, found {_KINDS.get(kind, 'another kind')}"
                )
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > max_bytes:
        raise ValueError(f"{path}: longer than {max_bytes:,} bytes")
    return content
