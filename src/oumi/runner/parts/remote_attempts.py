"""Attempts at parts in an object store: worked on in a folder on this machine.

The journals of others are copied here, and what a new attempt records here is written there in
segments: `out.jsonl.parts/3-of-16/20261127T134501-node7-4711-9c2f.jsonl.000012.journal`. So there
each segment is a journal like others, and here all is as with parts on a disk. An attempt leaves
nothing else in the store.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from oumi.core.configs.part import Part
from oumi.core.types.result import InferenceResult
from oumi.runner.parts.attempts import JOURNAL, PARTS, Attempts, folder_name, parts_in
from oumi.runner.parts.remote_folder import RemoteFolder
from oumi.runner.parts.scratch import Scratch
from oumi.runner.parts.segments import SegmentedJournal
from oumi.runner.storage.folders import make_folder
from oumi.runner.storage.journal import Journal


class RemoteAttempts(Attempts):
    """Those at the parts of the output that has a URL. Raises what RemoteFolder raises."""

    def __init__(self, url: str):
        self._remote = RemoteFolder(url)
        self.scratch = Scratch()
        """Where they are worked on."""
        super().__init__(self.scratch.path / self._remote.file_name)
        self._parts = self._remote.file_name + PARTS

    @property
    def name(self) -> str:
        """The folder, as errors show it."""
        return self._remote.shown(self._parts)

    def parts(self) -> list[Part]:
        """The parts that there are attempts at, by their numbers."""
        return parts_in(self._remote.names(self._parts))

    def journals(self, part: Part) -> list[Path]:
        """What all attempts at a part have recorded, copied here, the oldest first."""
        folder = self._remote_folder(part)
        names = [name for name in self._remote.names(folder) if name.endswith(JOURNAL)]
        make_folder(self.scratch.path / folder)
        self._remote.fetch([f"{folder}/{name}" for name in names], self.scratch.path)
        return super().journals(part)

    def open_journal(self, path: Path) -> Journal:
        """That of an attempt, which is written to the store as well."""
        return SegmentedJournal(path, partial(self._write_segment, path), partial(self._keep, path))

    def held(self, result: InferenceResult) -> InferenceResult:
        """A result whose files stay for as long as its conversations do."""
        if not isinstance(result.conversations, list):  # which would be all in memory
            self.scratch.keep_for(result.conversations)
        return replace(result, failures=dict(result.failures))

    def _keep(self, journal: Path) -> str:
        self.scratch.keep()
        folder = journal.parent.relative_to(self.scratch.path).as_posix()
        return f"copy it to {self._remote.shown(folder)}/, and what is in it is not asked again"

    def _write_segment(self, journal: Path, number: int, data: bytes) -> None:
        name = journal.relative_to(self.scratch.path).with_suffix(f".{number:06d}{JOURNAL}")
        self._remote.write(name.as_posix(), data)

    def _remote_folder(self, part: Part) -> str:
        return f"{self._parts}/{folder_name(part)}"
