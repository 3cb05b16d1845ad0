"""A folder in an object store, such as S3: files appear there whole, and are read whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from oumi.core.urls import mask_url
from oumi.data.remote_files import open_url
from oumi.data.store_errors import store_error
from oumi.errors import ConfigError, OumiError

_READ_AT_ONCE = 16  # a small file takes a round trip of some 20 ms: 800 a second


class RemoteFolder:
    """The folder that holds the file of a URL. Names in it are relative, such as `a.parts/b`.

    Raises ConfigError where there is no such bucket, AccessError where the store refuses the key,
    and UnavailableError for all else, which another try may mend.
    """

    def __init__(self, url: str):
        shown = mask_url(url)
        if url.lower().startswith("file:"):
            raise ConfigError(f"{shown}: name a file of this machine by its path, without file://")
        self._system, path = open_url(url)
        self._root, _, self.file_name = path.rpartition("/")
        """The last part of the URL."""
        if not self.file_name or not self._root.strip("/"):
            raise ConfigError(f"{shown}: expected a file in a bucket, as s3://bucket/answers.jsonl")
        self.url = shown.rpartition("/")[0]

    def names(self, folder: str) -> list[str]:
        """What lies in a folder below, sorted; nothing where there is none."""
        with self._errors(folder, "cannot be listed"):
            self._system.invalidate_cache()  # others write there
            try:
                found = self._system.ls(self._place(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted(name.rstrip("/").rpartition("/")[2] for name in found)

    def fetch(self, names: list[str], target: Path) -> None:
        """Copy files to the same names below a folder on this machine; not what is there already,
        as no file is changed once it is written.
        """
        missing = [name for name in names if not (target / name).exists()]
        with ThreadPoolExecutor(_READ_AT_ONCE, "fetch") as pool:
            list(pool.map(lambda name: self.read_to(name, target / name), missing))

    def read_to(self, name: str, path: Path) -> bool:
        """Copy a file to this machine. False: there is none."""
        with self._errors(name, "cannot be read"):
            try:
                self._system.get_file(self._place(name), str(path))
            except FileNotFoundError:
                path.unlink(missing_ok=True)
                return False
        return True

    def write(self, name: str, data: bytes) -> None:
        """Write a file: it appears whole, or not at all."""
        with self._errors(name, "cannot be written"):
            self._system.pipe_file(self._place(name), data)

    def write_from(self, path: Path, name: str) -> None:
        """Write a file with the content of one on this machine."""
        with self._errors(name, "cannot be written"):
            self._system.put_file(str(path), self._place(name))

    def remove(self, name: str) -> None:
        """Remove a file, if there is one."""
        with self._errors(name, "cannot be removed"):
            if self._system.exists(self._place(name)):
                self._system.rm_file(self._place(name))

    def shown(self, name: str) -> str:
        """The URL of a file, as errors show it."""
        return f"{self.url}/{name}"

    def _place(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _errors(self, name: str, what: str) -> Iterator[None]:
        try:
            yield
        except OumiError:
            raise
        except Exception as error:
            raise store_error(f"{self.shown(name)}: {what}", error, ConfigError) from error
