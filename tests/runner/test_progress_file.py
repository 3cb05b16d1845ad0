"""`progress_path`: how far a run is, for programs that look at it from outside."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from oumi.runner.events import RowDone
from tests.conftest import ask
from tests.fault_server import FaultServer

BAD = {"kind": "status", "code": 400, "times": None}


@pytest.fixture
def engine(server: FaultServer) -> RemoteInferenceEngine:
    server.plan(scripts={"row-3": [BAD]})
    remote = RemoteParams(api_url=server.api_url, num_workers=1, use_adaptive_concurrency=False)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def read(path: Path) -> tuple[int, int, int]:
    seen = json.loads(path.read_text())
    assert datetime.fromisoformat(seen["updated_at"]).tzinfo is not None
    return seen["total"], seen["completed"], seen["failed"]


def test_it_counts_all_rows_from_the_first_to_the_last(
    engine: RemoteInferenceEngine, tmp_path: Path
):
    path = tmp_path / "folder" / "progress.json"
    seen: list[tuple[int, int, int]] = []

    def look(event: object) -> None:
        if isinstance(event, RowDone):
            seen.append(read(path))

    config = InferenceConfig(progress_path=str(path), output_path=str(tmp_path / "out.jsonl"))
    rows = [ask(f"row-{i}") for i in range(6)]
    engine.infer_partial(rows, config, on_event=look)
    assert seen[0] == (6, 0, 0)
    assert read(path) == (6, 5, 1)
    engine.infer_partial(rows, config)
    assert read(path) == (6, 5, 1), "rows of earlier calls count"
    assert list(path.parent.iterdir()) == [path], "nothing unfinished is left"


def test_the_argument_goes_before_the_setting(engine: RemoteInferenceEngine, tmp_path: Path):
    named, setting = tmp_path / "named.json", tmp_path / "setting.json"
    config = InferenceConfig(progress_path=str(setting))
    rows = [ask("row-1"), ask("row-2")]
    engine.infer(rows, config, progress_path=named)
    assert read(named) == (2, 2, 0)
    assert not setting.exists()
    engine.infer_partial([ask("row-3")], progress_path=str(named))
    assert read(named) == (1, 0, 1)
    assert config == InferenceConfig(progress_path=str(setting))


@pytest.mark.parametrize("content", [b"something of mine", b'{"total": 1}', b"[]"])
def test_another_file_in_its_place_is_kept(
    engine: RemoteInferenceEngine, tmp_path: Path, content: bytes, caplog
):
    path = tmp_path / "notes"
    path.write_bytes(content)
    assert len(engine.infer([ask("row-1")], InferenceConfig(progress_path=str(path)))) == 1
    assert path.read_bytes() == content
    assert caplog.text.count("another file in its place") == 1


def test_what_cannot_be_written_fails_no_run(engine: RemoteInferenceEngine, tmp_path: Path, caplog):
    (tmp_path / "file").touch()
    config = InferenceConfig(progress_path=str(tmp_path / "file" / "progress.json"))
    assert len(engine.infer([ask("row-1"), ask("row-2")], config)) == 2
    assert caplog.text.count("not written") == 1
