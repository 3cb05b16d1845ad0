"""The files of an output in an object store, which are written on this machine first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from oumi.core.types.result import InferenceResult
from oumi.runner.parts.remote_folder import RemoteFolder
from oumi.runner.parts.scratch import Scratch
from oumi.runner.storage.atomic import beside

# The output last: whoever sees it finds the others.
_ENDINGS = (".failures.jsonl", ".run.json", "")


class RemoteOutput:
    """The output that has a URL. Raises what RemoteFolder raises."""

    def __init__(self, url: str):
        self._remote = RemoteFolder(url)
        self._scratch = Scratch()
        self._path = self._scratch.path / self._remote.file_name

    def write(self, write: Callable[[Path], InferenceResult]) -> InferenceResult:
        """Have the output written to a path on this machine, beside what is in the store already,
        and bring there what has changed.
        """
        files = {self._remote.file_name + ending: beside(self._path, ending) for ending in _ENDINGS}
        before = {name: self._fetch(name, path) for name, path in files.items()}
        result = write(self._path)
        for name, path in files.items():
            if not path.exists():
                self._remote.remove(name)
            elif _changed_at(path) != before[name]:
                self._remote.write_from(path, name)
        self._scratch.keep_for(result.conversations)
        return result

    def _fetch(self, name: str, path: Path) -> int:
        self._remote.read_to(name, path)
        return _changed_at(path)


def _changed_at(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
