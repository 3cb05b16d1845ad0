"""The bytes of a held file, unpacked as they are read where it is a `.gz` or a `.zst`."""

from __future__ import annotations

import contextlib
import gzip
import io
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, cast

from oumi.data.held_blocks import HeldBlocks
from oumi.errors import InputError, MissingDependencyError

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_SUFFIXES = (".gz", ".zst")


class Content:
    """What a file holds, packed or not. It can be read any number of times, and is the same."""

    def __init__(self, path: Path, name: str | None = None):
        """Raises InputError for what cannot be opened, MissingDependencyError for a `.zst`."""
        self.name = name or str(path)
        self._blocks = HeldBlocks(path, self.name)
        start = self._blocks.start()
        self._codec = next((c for magic, c in _MAGIC.items() if start.startswith(magic)), None)
        if self._codec == "zstd":
            self.open().close()  # raises what is missing

    @property
    def is_packed(self) -> bool:
        """Whether the bytes of the file are compressed."""
        return self._codec is not None

    @property
    def suffix(self) -> str:
        """The ending of its name that says the format, in lower case."""
        path = Path(self.name)
        return (path.with_suffix("") if path.suffix in _SUFFIXES else path).suffix.lower()

    def open(self) -> BinaryIO:
        """The unpacked bytes, from the first one."""
        packed = self._blocks.open()
        if self._codec == "gzip":
            return cast(BinaryIO, gzip.GzipFile(fileobj=packed))
        return _open_zstd(packed, self.name) if self._codec == "zstd" else packed

    def lines(self) -> Iterator[bytes]:
        """The unpacked lines. Raises InputError for a file that is damaged or cut off."""
        with unpacking(self.name):
            yield from self.open()

    def start(self, size: int = 16) -> bytes:
        """The first unpacked bytes."""
        with unpacking(self.name):
            return self.open().read(size)

    def estimate_lines(self) -> int | None:
        """About how many lines there are; None for a packed file."""
        return None if self.is_packed else self._blocks.estimate_lines()

    def random_access(self) -> BinaryIO:
        """The unpacked bytes for who reads here and there."""
        return self._blocks.open() if self._codec is None else self._unpacked.open()

    @cached_property
    def _unpacked(self) -> HeldBlocks:
        """The unpacked bytes in a temporary file, which vanishes with its last use."""
        with unpacking(self.name), tempfile.NamedTemporaryFile(prefix="oumi-") as copy:
            shutil.copyfileobj(self.open(), copy)
            copy.flush()
            return HeldBlocks(Path(copy.name), self.name)

    def digest(self) -> str:
        """The hash of the file as it lies on the disk."""
        return self._blocks.digest()


@contextlib.contextmanager
def unpacking(name: str) -> Iterator[None]:
    """Where what is wrong with packed bytes becomes an InputError."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{name}: damaged or cut off: {error}") from error
    except Exception as error:
        if not _is_zstd_error(error):
            raise
        raise InputError(f"{name}: damaged or cut off: {error}") from error


def _is_zstd_error(error: Exception) -> bool:
    """Whether it is what Python 3.14 or pyarrow raises of a damaged file."""
    # Errors of the system have a number, and those of pyarrow's codecs none.
    is_of_arrow = isinstance(error, OSError) and error.errno is None
    return is_of_arrow or type(error).__name__ == "ZstdError"


def _open_zstd(packed: io.BufferedReader, name: str) -> BinaryIO:
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        pass
    else:
        return cast(BinaryIO, zstd.ZstdFile(packed))
    try:
        import pyarrow as pa
    except ImportError:
        raise MissingDependencyError(
            f"{name}: to unpack Zstandard needs Python 3.14 or pyarrow: "
            "pip install 'oumi-infer[tables]'"
        ) from None
    return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(packed), "zstd"))
