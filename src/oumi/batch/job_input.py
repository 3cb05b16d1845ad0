"""The input of a job on disk: conversations, and beside them the settings that rows bring along.

The settings lie in a file of their own, one line a row, which is there only where rows have any:
so the conversations are the same file whoever reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson

from oumi.core.configs.generation_params import GenerationParams
from oumi.data.jsonl import JsonlSource
from oumi.data.source import Row, Source
from oumi.runner.storage.atomic import atomic_file


class JobSource(JsonlSource):
    """Conversations whose settings stand in another file, at the same places."""

    has_settings = True

    def __init__(self, path: Path, settings: Path, name: str):
        super().__init__(path, name)
        self._settings = JsonlSource(settings, f"the settings of {name}")

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows from number `start` on, each with its settings."""
        settings = islice(self._settings.lines(), start, None)
        for row, (_, text) in zip(super().rows(start), settings, strict=True):
            yield row._replace(generation=_parse(text))

    def generation_of(self, index: int) -> GenerationParams | None:
        """The settings of one row."""
        return _parse(self._settings.line_of(index))


def open_input(path: Path, settings: Path, name: str) -> JsonlSource:
    """The rows of a job."""
    return JobSource(path, settings, name) if settings.exists() else JsonlSource(path, name)


def write_settings(source: Source, path: Path, kept: str) -> None:
    """Write what rows bring along, where a source has any. Raises StorageError."""
    if not source.has_settings:
        return
    with atomic_file(path, kept) as file:
        for row in source.rows():
            if row.sample:  # as the conversations, each row of the input once
                continue
            own = row.generation
            text = "null" if own is None else own.model_dump_json(exclude_unset=True)
            file.write(text.encode() + b"\n")


def _parse(text: bytes) -> GenerationParams | None:
    value = orjson.loads(text)
    return None if value is None else GenerationParams.model_validate(value)
