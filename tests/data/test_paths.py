"""Folders, patterns, saved data sets and URLs as input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

from oumi.core.configs import InferenceConfig
from oumi.data.opening import open_source
from oumi.data.source import Source
from oumi.errors import ConfigError, InputError, MissingDependencyError
from oumi.inference import RemoteInferenceEngine
from tests.data.writing import write_rows


def rows(*numbers: int) -> list[dict[str, str]]:
    return [{"prompt": f"row-{i}"} for i in numbers]


def questions(source: Source) -> list[str]:
    found = [row.conversation for row in source.rows()]
    assert all(found)
    return [str(one[-1].content) for one in found if one]


def opened(path: str | list[str]) -> Source:
    return open_source(None, InferenceConfig(input_path=path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of several formats and sizes, and what a run and others put beside such."""
    path = tmp_path / "rows"
    path.mkdir()
    write_rows(path / "b.parquet", rows(2, 3))
    write_rows(path / "a.csv", rows(0, 1))
    write_rows(path / "c.jsonl.gz", rows(4))
    for name in ("out.jsonl.failures.jsonl", "out.jsonl.run.json", ".hidden.csv", "_SUCCESS"):
        (path / name).write_text("x")
    return path


def test_folders_patterns_and_several_paths(folder: Path):
    assert questions(opened(str(folder))) == [f"row-{i}" for i in range(5)]
    assert questions(opened(str(folder / "[ab].*"))) == [f"row-{i}" for i in range(4)]
    both = [str(folder / "c.jsonl.gz"), str(folder / "a.csv")]
    assert questions(opened(both)) == ["row-4", "row-0", "row-1"]


def test_a_row_is_named_by_its_file(folder: Path):
    write_rows(folder / "d.parquet", [{"prompt": "row-5"}, {"prompt": None}])
    (folder / "e.csv").write_text("prompt\nrow-6\n\n,\n")
    errors = [str(row.error) for row in opened(str(folder)).rows() if row.error]
    assert errors == [
        f"{folder}/d.parquet: row 1: prompt: nothing in it",
        f"{folder}/e.csv:4: 2 values for 1 columns",
    ]


def test_what_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="no file matches"):
        opened(f"{tmp_path}/*.csv")
    (tmp_path / "below").mkdir()
    write_rows(tmp_path / "below" / "a.csv", rows(0))
    with pytest.raises(InputError, match=r"no files of tables in this folder .*\*\*/\*.parquet"):
        opened(str(tmp_path))
    assert questions(opened(f"{tmp_path}/**/*.csv")) == ["row-0"]
    with pytest.raises(ConfigError, match="cannot be read beside files"):
        opened(["-", f"{tmp_path}/below/a.csv"])


def test_a_saved_data_set(tmp_path: Path):
    # As `Dataset.save_to_disk` of datasets 4 lays it out.
    names = [f"data-0000{i}-of-00002.arrow" for i in range(2)]
    for name, numbers in zip(names, ([0, 1], [2]), strict=True):
        write_rows(tmp_path / name, rows(*numbers))
    files = [{"filename": name} for name in names]
    state = {"_data_files": files, "_fingerprint": "f", "_split": "train"}
    (tmp_path / "state.json").write_text(json.dumps(state))
    (tmp_path / "dataset_info.json").write_text("{}")
    assert questions(opened(str(tmp_path))) == ["row-0", "row-1", "row-2"]

    splits = tmp_path / "splits"
    shutil.copytree(tmp_path, splits / "train")
    (splits / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(InputError, match=r"several splits: name one of .*splits/train"):
        opened(str(splits))
    state["_indices_data_files"] = files
    (tmp_path / "state.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match="flatten_indices"):
        opened(str(tmp_path))


def test_urls_are_read_by_fsspec():
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/a.csv", b"prompt\nrow-0\n")
    memory.pipe("/bucket/b.jsonl", b'{"prompt":"row-1"}\n')
    memory.pipe("/bucket/README.md", b"#")
    try:
        assert questions(opened("memory://bucket/a.csv")) == ["row-0"]
        assert questions(opened("memory://bucket")) == ["row-0", "row-1"]
        assert questions(opened("memory://bucket/*.jsonl")) == ["row-1"]
        memory.pipe("/bucket/a.csv", b"prompt\nrow-0,x\n")
        [row] = opened("memory://bucket/a.csv").rows()
        assert str(row.error).startswith("memory://bucket/a.csv:2: 2 values")
        with pytest.raises(InputError, match=r"memory://none.csv: no such file"):
            opened("memory://none.csv")
    finally:
        memory.rm("/bucket", recursive=True)


def test_urls_that_nothing_can_read():
    with pytest.raises(MissingDependencyError, match=r"az://c/a.csv: needs adlfs"):
        opened("az://c/a.csv")
    with pytest.raises(InputError, match="nosuch://x"):
        opened("nosuch://x")


def test_the_output_is_never_one_of_the_inputs(engine: RemoteInferenceEngine, folder: Path):
    config = InferenceConfig(input_path=str(folder), output_path=str(folder / "a.csv"))
    with pytest.raises(ConfigError, match="the same file"):
        engine.infer(None, config)


def test_rows_may_name_files_below_their_own_folders(folder: Path):
    def media_folder(path: str | list[str]) -> Path:
        return InferenceConfig(input_path=path).media_folder

    assert media_folder(str(folder)) == folder
    assert media_folder(f"{folder}/*.csv") == folder
    assert media_folder([f"{folder}/a.csv", f"{folder.parent}/x/b.csv"]) == folder.parent
    assert media_folder("hf://datasets/a/b") == Path()


def test_a_file_that_is_changed_in_its_place_ends_the_run(folder: Path):
    source = opened(str(folder / "b.parquet"))
    assert questions(source) == ["row-2", "row-3"]
    write_rows(folder / "new.parquet", rows(8, 9))
    with (folder / "b.parquet").open("r+b") as file:
        file.write((folder / "new.parquet").read_bytes())
    with pytest.raises(InputError, match=r"b.parquet: the file was changed"):
        questions(source)


def test_a_file_that_is_moved_away_is_still_read(folder: Path):
    source = opened(str(folder / "b.parquet"))
    (folder / "b.parquet").unlink()
    assert questions(source) == ["row-2", "row-3"]


def test_files_whose_columns_do_not_go_together(tmp_path: Path):
    write_rows(tmp_path / "a.parquet", [{"prompt": "row-0", "n": 1}])
    write_rows(tmp_path / "b.parquet", [{"prompt": "row-1", "n": "x"}])
    source = opened(str(tmp_path))
    assert questions(source) == ["row-0", "row-1"]
    with pytest.raises(InputError, match="columns of other types"):
        _ = source.schema
    write_rows(tmp_path / "b.parquet", [{"prompt": "row-1", "n": 1.5}])
    assert opened(str(tmp_path)).schema.field("n").type == pa.float64()


def test_what_has_no_ending_is_told_by_its_content(tmp_path: Path):
    for text in ["prompt,n\nrow-0,1\n", "n\tprompt\n1\trow-0\n", '\n{"prompt": "row-0"}\n']:
        (tmp_path / "rows").write_text(text)
        assert questions(opened(str(tmp_path / "rows"))) == ["row-0"]
    for ending in (".json", ".parquet", ".arrow", ".csv.gz"):
        write_rows(tmp_path / f"in{ending}", [{"prompt": "row-0", "n": "1"}])
        (tmp_path / f"in{ending}").rename(tmp_path / "rows")
        assert questions(opened(str(tmp_path / "rows"))) == ["row-0"]
