"""From what is named as input to files: folders, patterns, saved data sets, URLs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from oumi.core.json_text import parse_json
from oumi.core.urls import is_url
from oumi.data.input_file import OF_A_RUN, InputFile, is_table
from oumi.data.records.formats import SUFFIXES
from oumi.errors import InputError


def find_files(given: Iterable[str]) -> Iterator[InputFile]:
    """The files that are named, in the order of the names, and below a name by theirs.

    Raises InputError where there are none.
    """
    for name in given:
        if is_url(name):
            from oumi.data.remote_files import fetch_files

            yield from fetch_files(name)
        else:
            yield from (InputFile(path, str(path)) for path in _local(name))


def _local(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():
        return _in_folder(path)
    if glob.has_magic(name) and not path.exists():
        found = sorted(filter(os.path.isfile, glob.glob(name, recursive=True)))
        if not found:
            raise InputError(f"{name}: no file matches")
        return [Path(one) for one in found if not one.endswith(OF_A_RUN)]
    return [path]


def _in_folder(folder: Path) -> list[Path]:
    if (folder / "dataset_dict.json").is_file():
        splits = ", ".join(
            sorted(f"{folder}/{part.name}" for part in folder.iterdir() if part.is_dir())
        )
        raise InputError(f"{folder}: a saved data set of several splits: name one of {splits}")
    if (folder / "state.json").is_file():
        return _saved_data_set(folder)
    found = sorted(path for path in folder.iterdir() if is_table(path.name) and path.is_file())
    if not found:
        kinds = ", ".join(sorted(SUFFIXES))
        raise InputError(
            f"{folder}: no files of tables in this folder ({kinds}); name those of folders below "
            f"it by a pattern, such as {folder}/**/*.parquet"
        )
    return found


def _saved_data_set(folder: Path) -> list[Path]:
    """The files of `Dataset.save_to_disk`
    (https://huggingface.co/docs/datasets/package_reference/main_classes), in their order.
    """
    try:
        state = parse_json((folder / "state.json").read_bytes())
        files = [folder / file["filename"] for file in state["_data_files"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise InputError(f"{folder}: no data set that can be read: {error!r}") from None
    if state.get("_indices_data_files"):
        raise InputError(f"{folder}: a selection of rows: save it after flatten_indices()")
    return files
