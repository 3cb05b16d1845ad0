"""Folders are made below those that exist, but none at the root of the file system."""

from pathlib import Path

import pytest

from oumi.errors import StorageError
from oumi.runner.storage.folders import make_folder
from oumi.runner.storage.output import Output


def test_missing_folders_are_made(tmp_path: Path) -> None:
    Output(tmp_path / "a" / "b" / "out.jsonl")
    assert (tmp_path / "a" / "b").is_dir()
    make_folder(tmp_path / "a" / "b")  # again


def test_none_is_made_at_the_root() -> None:
    with pytest.raises(StorageError, match="none is made at /"):
        Output(Path("/no-such-volume/run/out.jsonl"))
    assert not Path("/no-such-volume").exists()
