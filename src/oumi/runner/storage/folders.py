"""Folders for the files of a run."""

from __future__ import annotations

import errno
import os
from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder, and those around it, where they do not exist.

    None is made at `/`: where one is missing there, such as a volume that was not mounted, the path
    is a mistake, which only shows because this program may write everywhere. Raises OSError.
    """
    folder = folder.absolute()
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    if missing and missing[-1].parent == Path(folder.anchor):
        raise FileNotFoundError(
            errno.ENOENT, f"{os.strerror(errno.ENOENT)}, and none is made at /", str(missing[-1])
        )
    folder.mkdir(parents=True, exist_ok=True)
