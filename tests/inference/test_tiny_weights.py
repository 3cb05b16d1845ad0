"""The weights of the model in the package, which a wheel has once."""

import shutil
from pathlib import Path

from oumi.models import TINY, tiny_folder
from oumi.models.tiny_weights import WEIGHTS, write_folder


def test_the_weights_are_made_byte_for_byte(tmp_path: Path) -> None:
    tiny = tmp_path / "tiny"
    shutil.copytree(TINY, tiny, ignore=shutil.ignore_patterns(WEIGHTS))
    folder = tmp_path / "cache" / "oumi-tiny"
    write_folder(folder, tiny)
    for made in folder.iterdir():
        assert made.read_bytes() == (TINY / "hf" / made.name).read_bytes()
    assert len(list(folder.iterdir())) == len(list((TINY / "hf").iterdir()))
    write_folder(folder, tiny)  # as another process, at the same moment
    assert [path.name for path in folder.parent.iterdir()] == ["oumi-tiny"]


def test_a_source_tree_has_them() -> None:
    assert tiny_folder() == TINY / "hf"
