"""Files behind URLs: `hf://`, `s3://`, `gs://`, `az://` and whatever else fsspec knows.

They are copied to temporary files, so that a run reads the same rows from its beginning to its end.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from oumi.core.urls import mask_url
from oumi.data.input_file import InputFile, is_table
from oumi.data.store_errors import store_error
from oumi.errors import InputError, MissingDependencyError, OumiError

_PACKAGES = {
    "hf": "huggingface-hub: pip install 'oumi-infer[hub]'",
    "s3": "s3fs or pyarrow: pip install 'oumi-infer[tables]'",
    "gs": "gcsfs or pyarrow: pip install 'oumi-infer[tables]'",
    "az": "adlfs: pip install adlfs",
}


def fetch_files(url: str) -> Iterator[InputFile]:
    """The files of a URL: one, those below a folder, or those that match a pattern.

    Raises InputError where there are none, AccessError where the store refuses the key,
    UnavailableError where it cannot be reached, MissingDependencyError.
    """
    system, path = open_url(url)
    url = mask_url(url)
    try:
        for name in _names(system, path, url):
            handle, copy = tempfile.mkstemp(
                prefix="oumi-", suffix="".join(PurePosixPath(name).suffixes[-2:])
            )
            os.close(handle)
            try:
                system.get_file(name, copy)
            except BaseException:
                os.unlink(copy)
                raise
            shown = f"{url.partition('://')[0]}://{name.lstrip('/')}"
            yield InputFile(Path(copy), shown, is_copy=True)
    except OumiError:
        raise
    except Exception as error:
        raise store_error(f"{url}: cannot be read", error, InputError) from error


def _names(system: Any, path: str, url: str) -> list[str]:
    if any(sign in path for sign in "*?["):
        found = sorted(system.glob(path))
    elif system.isdir(path):
        found = sorted(name for name in system.find(path) if is_table(name))
    elif system.exists(path):
        return [path]
    else:
        raise InputError(f"{url}: no such file")
    if not found:
        raise InputError(f"{url}: no files of tables there")
    return found


def open_url(url: str) -> tuple[Any, str]:
    """The file system of a URL, with fsspec's interface, and the path in it. Raises InputError for
    one that nothing here opens, MissingDependencyError.
    """
    scheme, shown = url.partition("://")[0].lower(), mask_url(url)
    needed = _PACKAGES.get(scheme, "fsspec and what it needs for it: pip install fsspec")
    try:
        import fsspec
    except ImportError:
        raise MissingDependencyError(f"{shown}: needs {needed}") from None
    try:
        system, path = fsspec.url_to_fs(url)
    except ImportError:
        return _open_by_arrow(url, needed)
    except ValueError as error:
        raise InputError(f"{shown}: {error}") from None
    return system, path


def _open_by_arrow(url: str, needed: str) -> tuple[Any, str]:
    """The same by pyarrow's own file systems."""
    try:
        from fsspec.implementations.arrow import ArrowFSWrapper
        from pyarrow import fs

        system, path = fs.FileSystem.from_uri(url)
    except (ImportError, ValueError) as error:
        raise MissingDependencyError(f"{mask_url(url)}: needs {needed}") from error
    return ArrowFSWrapper(system), path
