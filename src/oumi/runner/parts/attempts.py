"""Attempts at a part: ordinary runs, in a folder beside the output that the parts make up.

`out.jsonl.parts/3-of-16/20261127T134501-node7-4711.jsonl` is the output of an attempt at part 3 of
16, with its journal, its failures and its `run.json` beside it. An attempt begins with what those
before it have recorded, which it copies: it never writes to their files, so that two attempts at a
part at the same time cannot harm each other, and no lock is needed between machines.
"""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path

from oumi.core.configs.inference_config import InferenceConfig
from oumi.core.configs.input_folder import STANDARD_STREAM
from oumi.core.configs.part import Part
from oumi.errors import ConfigError
from oumi.runner.storage.atomic import atomic_file, beside
from oumi.runner.storage.folders import make_folder
from oumi.runner.storage.journal_lines import HEADER, HEADERS, moved_line, whole_lines
from oumi.runner.storage.run_summary import RunSummary

JOURNAL = ".journal"
_KEPT = "What earlier attempts have recorded is intact"


def find_part(config: InferenceConfig) -> Part | None:
    """The part that the settings name. Raises ConfigError where it has no place."""
    if config.part is None:
        return None
    if config.output_path in (None, STANDARD_STREAM):
        raise ConfigError(f"part: {config.part} of what: set output_path, to that of the whole")
    return Part.parse(config.part)


def parts_folder(output: Path) -> Path:
    """Where the parts of an output lie."""
    return beside(output, ".parts")


def part_folder(output: Path, part: Part) -> Path:
    """Where the attempts at a part lie."""
    return parts_folder(output) / f"{part.number}-of-{part.count}"


def parts_of(output: Path) -> list[Part]:
    """The parts that there are attempts at, by their numbers."""
    found = [
        Part(int(match[1]), int(match[2]))
        for folder in parts_folder(output).glob("*-of-*")
        if (match := re.fullmatch(r"(\d+)-of-(\d+)", folder.name))
    ]
    return sorted(found)


def attempt_path(output: Path, part: Part) -> Path:
    """The output of an attempt at a part: of the last one where that is finished, else of a new
    one, whose journal holds what the others have recorded.
    """
    folder = part_folder(output, part)
    done = [path for path in _outputs(folder, output.suffix) if _is_whole(path)]
    if done:
        return done[-1]
    make_folder(folder)
    moment = time.strftime("%Y%m%dT%H%M%S")
    path = folder / f"{moment}-{platform.node()}-{os.getpid()}{output.suffix}"
    copy_records(journals(folder), beside(path, JOURNAL))
    return path


def journals(folder: Path) -> list[Path]:
    """The journals of all attempts at a part, the oldest first."""
    return sorted(folder.glob(f"*{JOURNAL}"))


def copy_records(sources: list[Path], target: Path, shifts: list[int] | None = None) -> None:
    """Write a journal of the whole records of others, in their order. `shifts` are added to the
    numbers of the rows of each. Raises StorageError.
    """
    with atomic_file(target, _KEPT) as file:
        file.write(HEADER)
        for source, shift in zip(sources, shifts or [0] * len(sources), strict=True):
            file.writelines(_records(source, shift))


def _records(journal: Path, shift: int) -> Iterator[bytes]:
    with journal.open("rb") as file:
        for _, line in whole_lines(file):
            if line not in HEADERS and (moved := moved_line(line, shift)) is not None:
                yield moved


def _outputs(folder: Path, suffix: str) -> list[Path]:
    names = [path for path in folder.glob(f"*{suffix}") if ".failures" not in path.suffixes]
    return sorted(names)


def _is_whole(output: Path) -> bool:
    """Whether an attempt has an answer to each of its rows."""
    summary = RunSummary.read(beside(output, ".run.json"))
    return summary is not None and not summary.failed
