"""Attempts at a part: ordinary runs, in a folder beside the output that the parts make up.

`out.jsonl.parts/3-of-16/20261127T134501-node7-4711-9c2f.jsonl` is the output of an attempt at part
3 of 16, with its journal, its failures and its `run.json` beside it. An attempt begins with what
those before it have recorded, which it copies: it never writes to their files, so that two attempts
at a part at the same time cannot harm each other, and no lock is needed between machines.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.configs.part import Part
from oumi.core.logs import logger
from oumi.core.types.result import InferenceResult
from oumi.errors import ConfigError
from oumi.runner.storage.atomic import atomic_file, beside, storage_errors
from oumi.runner.storage.folders import make_folder
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.journal_lines import (
    HEADER,
    HEADERS,
    moved_line,
    read_note,
    whole_lines,
    write_line,
)
from oumi.runner.storage.run_summary import RunSummary

JOURNAL = ".journal"
PARTS = ".parts"
_FOLDER = re.compile(r"(\d+)-of-(\d+)")
_KEPT = "What earlier attempts have recorded is intact"


def find_part(config: InferenceConfig) -> Part | None:
    """The part that the settings name. Raises ConfigError where it has no place."""
    if config.part is None:
        return None
    if config.output_path in (None, STANDARD_STREAM):
        raise ConfigError(f"part: {config.part} of what: set output_path, to that of the whole")
    return Part.parse(config.part)


def folder_name(part: Part) -> str:
    """What the folder of the attempts at a part is called."""
    return f"{part.number}-of-{part.count}"


def parts_in(names: Iterable[str]) -> list[Part]:
    """The parts that have a folder among those of these names."""
    found = filter(None, map(_FOLDER.fullmatch, names))
    return sorted(Part(int(match[1]), int(match[2])) for match in found)


class Attempts:
    """The attempts at all parts of an output, in a folder beside it."""

    def __init__(self, output: Path):
        self._output = output
        self._folder = beside(output, PARTS)

    @property
    def name(self) -> str:
        """The folder, as errors show it."""
        return str(self._folder)

    def parts(self) -> list[Part]:
        """The parts that there are attempts at, by their numbers."""
        return parts_in(path.name for path in self._folder.glob("*"))

    def journals(self, part: Part) -> list[Path]:
        """What all attempts at a part have recorded, the oldest first."""
        return sorted(self._part_folder(part).glob(f"*{JOURNAL}"))

    def attempt_path(self, part: Part) -> Path:
        """The output of an attempt at a part: of the last one where that is finished, else of a new
        one, whose journal holds what the others have recorded. Raises StorageError.
        """
        done = [path for path in self._outputs(part) if _is_whole(path)]
        if done:
            return done[-1]
        folder = self._part_folder(part)
        with storage_errors(folder, "cannot be made"):
            make_folder(folder)
        path = folder / f"{_attempt_name()}{self._output.suffix}"
        copy_records(self.journals(part), beside(path, JOURNAL))
        return path

    def open_journal(self, path: Path) -> Journal:
        """That of an attempt."""
        return Journal(path)

    def held(self, result: InferenceResult) -> InferenceResult:
        """The result of an attempt, which can be read from its files."""
        return result

    def _part_folder(self, part: Part) -> Path:
        return self._folder / folder_name(part)

    def _outputs(self, part: Part) -> list[Path]:
        found = self._part_folder(part).glob(f"*{self._output.suffix}")
        return sorted(path for path in found if ".failures" not in path.suffixes)


def copy_records(sources: list[Path], target: Path, shifts: list[int] | None = None) -> None:
    """Write a journal of the whole records of others, in their order, and of what may be paid for
    besides. `shifts` are added to the numbers of the rows of each. Raises StorageError.
    """
    notes: list[dict[str, Any]] = []
    with atomic_file(target, _KEPT) as file:
        file.write(HEADER)
        for source, shift in zip(sources, shifts or [0] * len(sources), strict=True):
            file.writelines(_records(source, shift, notes))
        # Each attempt's count begins with that of those before.
        unrecorded = [note["unrecorded"] for note in notes if "unrecorded" in note]
        if unrecorded:
            file.write(write_line({"unrecorded": [*map(max, zip(*unrecorded, strict=True))]}))


def _records(journal: Path, shift: int, notes: list[dict[str, Any]]) -> Iterator[bytes]:
    """The records of a journal; `notes` gains those that stand between them."""
    damaged = 0
    with journal.open("rb") as file:
        for _, line in whole_lines(file):
            if line in HEADERS:
                continue
            if (moved := moved_line(line, shift)) is not None:
                yield moved
            elif (note := read_note(line)) is not None:
                notes.append(note)
            else:
                damaged += 1
    if damaged:
        logger.warning(
            "%s: %d damaged lines, which count for nothing: their rows are asked again",
            journal,
            damaged,
        )


def _attempt_name() -> str:
    """One that no other attempt has, on any machine, and that sorts after those of before."""
    moment = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    # Containers of one name may have the same process id in the same second.
    return f"{moment}-{platform.node()}-{os.getpid()}-{secrets.token_hex(2)}"


def _is_whole(output: Path) -> bool:
    """Whether an attempt has an answer to each of its rows."""
    summary = RunSummary.read(beside(output, ".run.json"))
    return summary is not None and not summary.failed
