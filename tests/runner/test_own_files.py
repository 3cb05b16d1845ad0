"""A run takes the place of no file but its own: not of its input, not of what others put there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig
from oumi.errors import ConfigError, OutputExistsError
from oumi.inference import LlamaCppInferenceEngine
from tests.batch.local import finish, remote_engine, rows
from tests.conftest import ask, short, sums
from tests.fault_server import FaultServer

ENDINGS = [
    ".journal",
    ".failures.jsonl",
    ".run.json",
    ".oumi-partial",
    ".failures.jsonl.oumi-partial",
    ".run.json.oumi-partial",
    ".journal.lock",
]


def config_of(source: Path, output: Path, **fields: object) -> InferenceConfig:
    return short(input_path=str(source), output_path=str(output), **fields)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("ending", ["", *ENDINGS])
@pytest.mark.parametrize("kind", ["itself", "symlink", "hard link"])
def test_the_input_is_none_of_the_files_of_the_run(
    engine, write_jsonl, tmp_path: Path, ending: str, kind: str, overwrite: bool
):
    output = tmp_path / "out.jsonl"
    place = tmp_path / f"out.jsonl{ending}"
    source = write_jsonl(sums(2), place.name if kind == "itself" else "in.jsonl")
    if kind == "symlink":
        place.symlink_to(source)
    elif kind == "hard link":
        os.link(source, place)
    content, asked = source.read_bytes(), engine.asked
    with pytest.raises(ConfigError, match=r"input_path") as caught:
        engine.infer(None, config_of(source, output, overwrite=overwrite))
    assert str(source) in str(caught.value)
    assert engine.asked == asked
    assert source.read_bytes() == place.read_bytes() == content


@pytest.mark.parametrize("name", [".partial", ".failures.jsonl.partial", ".run.json.partial"])
def test_an_input_with_the_name_of_an_earlier_versions_file_is_kept(
    engine, write_jsonl, tmp_path: Path, name: str
):
    source = write_jsonl(sums(1), f"out.jsonl{name}")
    content = source.read_bytes()
    engine.infer(None, config_of(source, tmp_path / "out.jsonl"))
    assert source.read_bytes() == content


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "content", [b"my own notes", b"my own notes\n", b'{"messages":[]}\n', b"[1]", b"\0\xff"]
)
@pytest.mark.parametrize("ending", [".journal", ".failures.jsonl", ".run.json"])
def test_a_file_of_others_is_kept_and_nothing_is_asked(
    engine, write_jsonl, tmp_path: Path, ending: str, content: bytes, overwrite: bool
):
    source, output = write_jsonl(sums(1)), tmp_path / "out.jsonl"
    place = tmp_path / f"out.jsonl{ending}"
    place.write_bytes(content)
    asked = engine.asked
    with pytest.raises(OutputExistsError, match=r"[Mm]ove it away") as caught:
        engine.infer(None, config_of(source, output, overwrite=overwrite))
    assert str(place) in str(caught.value)
    assert engine.asked == asked
    assert place.read_bytes() == content
    assert not output.exists()


@pytest.mark.parametrize("ending", [".journal", ".failures.jsonl", ".run.json"])
def test_what_is_no_file_is_not_written_to(engine, write_jsonl, tmp_path: Path, ending: str):
    source = write_jsonl(sums(1))
    os.mkfifo(tmp_path / f"out.jsonl{ending}")
    with pytest.raises(OutputExistsError, match="not a regular file"):
        engine.infer(None, config_of(source, tmp_path / "out.jsonl"))


def test_a_journal_is_not_overwritten_as_an_output(engine, write_jsonl, tmp_path: Path):
    source = write_jsonl(sums(1))
    engine.infer(None, config_of(source, tmp_path / "out.jsonl"))
    journal = tmp_path / "out.jsonl.journal"
    content = journal.read_bytes()
    with pytest.raises(OutputExistsError, match="the journal of a run"):
        engine.infer(None, config_of(source, journal, overwrite=True))
    assert journal.read_bytes() == content


def test_the_files_of_an_earlier_run_are_its_own(
    engine: LlamaCppInferenceEngine, write_jsonl, tmp_path: Path
):
    output = tmp_path / "out.jsonl"
    source = write_jsonl([*sums(2), ask("long " * 4000)])
    assert engine.infer_partial(None, config_of(source, output)).failed_indices == [2]
    failures = tmp_path / "out.jsonl.failures.jsonl"
    assert json.loads(failures.read_text())["row"] == 2
    (tmp_path / "out.jsonl.oumi-partial").write_text("a run was killed while it wrote th")
    write_jsonl(sums(3))
    engine.infer(None, config_of(source, output))
    assert not failures.exists()
    assert not (tmp_path / "out.jsonl.oumi-partial").exists()
    assert len(output.read_text().splitlines()) == 3


def test_empty_files_are_taken(engine, write_jsonl, tmp_path: Path):
    """As a power cut leaves them, or `touch`."""
    source = write_jsonl(sums(1))
    for ending in ("", ".journal", ".failures.jsonl", ".run.json"):
        (tmp_path / f"out.jsonl{ending}").touch()
    engine.infer(None, config_of(source, tmp_path / "out.jsonl"))
    assert json.loads((tmp_path / "out.jsonl.run.json").read_text())["done"] == 1


def test_results_of_a_job_take_no_place_of_others(server: FaultServer, tmp_path: Path):
    notes = tmp_path / "out.jsonl.run.json"
    notes.write_text("my own notes")
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(2))
        finish(engine, batch_id)
        to = InferenceConfig(output_path=str(tmp_path / "out.jsonl"), overwrite=True)
        with pytest.raises(OutputExistsError, match="not made by a run"):
            engine.get_batch_results(batch_id, None, to)
        assert notes.read_text() == "my own notes"
        assert not (tmp_path / "out.jsonl").exists()
        notes.unlink()
        assert len(engine.get_batch_results(batch_id, None, to)) == 2
