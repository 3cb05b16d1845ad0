"""The vectors in a journal, read as they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from oumi.core.types.embedding import Embedding, Vector
from oumi.runner.storage.snapshot import JournalSnapshot


class SnapshotVectors(Sequence[Vector]):
    """Those of the rows that have one, in input order. Raises StorageError."""

    def __init__(self, recorded: JournalSnapshot):
        self._recorded = recorded

    def __len__(self) -> int:
        return len(self._recorded.answered)

    @overload
    def __getitem__(self, index: int) -> Vector: ...
    @overload
    def __getitem__(self, index: slice) -> list[Vector]: ...
    def __getitem__(self, index: int | slice) -> Vector | list[Vector]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = self._recorded.answered[index]
        return Embedding.from_dict(self._recorded.read(row)["embedding"]).vector
