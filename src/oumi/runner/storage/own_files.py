"""Whether a run may write where its files go: no input lies there, and nothing of others."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from oumi.errors import ConfigError, OutputExistsError
from oumi.runner.storage.atomic import reason_of

_JOURNAL = b'{"journal":'
_FAILURE = re.compile(rb'\{"row":\d+,("sample":\d+,)?("line":\d+,)?"failure":\{')


def check_input(input_path: Path, paths: dict[str, Path]) -> None:
    """Raise ConfigError where the input is one of the run's own files, which `paths` names, or
    another name of it.
    """
    for name, path in paths.items():
        if not _is_same(input_path, path):
            continue
        if name == "output":
            raise ConfigError(f"input_path and output_path are the same file: {input_path}")
        raise ConfigError(
            f"input_path: {input_path} lies where this run puts its {name} ({path}). Rename the "
            "input, or name another output_path."
        )


def is_journal(path: Path) -> bool:
    """Whether a file begins as a journal does."""
    return _start(path).startswith(_JOURNAL)


def holds_failures(path: Path) -> bool:
    """Whether a file begins as the failures of a run do."""
    return _FAILURE.match(_start(path)) is not None


def check_own(path: Path, name: str, is_own: Callable[[Path], bool]) -> None:
    """Raise OutputExistsError for what stands in a file's place and no run has made."""
    if not os.path.lexists(path):
        return
    if not path.is_file():
        raise OutputExistsError(f"{path}: not a regular file; this run puts its {name} there")
    try:
        if path.stat().st_size == 0 or is_own(path):
            return
        reason = f"this run puts its {name} there, and what is there was not made by a run"
    except OSError as error:
        reason = f"cannot be read: {reason_of(error)}"
    raise OutputExistsError(f"{path}: {reason}. Move it away, or name another output_path.")


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(200)  # more than any of the beginnings that are looked for


def _is_same(one: Path, other: Path) -> bool:
    if one.resolve() == other.resolve():
        return True
    try:
        return one.samefile(other)  # a hard link
    except OSError:  # one of them is not there
        return False
