"""Files of an input, and which files are taken to be some."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from oumi.data.records.formats import SUFFIXES

OF_A_RUN = (".failures.jsonl", ".run.json", ".journal", ".oumi-partial")
"""Endings of the files that a run puts beside its output."""

_PACKED = (".gz", ".zst")
_OF_A_DATA_SET = frozenset({"dataset_info.json", "dataset_infos.json", "dataset_dict.json"})


class InputFile(NamedTuple):
    """A file to be read, and what errors call it."""

    path: Path
    name: str
    is_copy: bool = False
    """Whether it is a temporary one, to be removed once it is open."""


def is_table(name: str) -> bool:
    """Whether a file's name is one of a table, and of none that a run or a data set puts beside."""
    path = Path(name)
    if name.endswith(OF_A_RUN) or path.name in _OF_A_DATA_SET or path.name.startswith((".", "_")):
        return False
    plain = path.with_suffix("") if path.suffix in _PACKED else path
    return plain.suffix.lower() in SUFFIXES
