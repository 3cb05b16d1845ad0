"""Hashes of content."""

from __future__ import annotations

import hashlib
from pathlib import Path


def new_digest() -> hashlib.blake2b:
    """An empty BLAKE2b hash of 16 bytes, which is 32 hexadecimal digits."""
    return hashlib.blake2b(digest_size=16)


def file_digest(path: Path) -> str:
    """The hash of a file's content, as 32 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, new_digest).hexdigest()
