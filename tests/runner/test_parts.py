"""Runs in parts: each apart, and one output of them all."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.errors import BudgetError, ConfigError, InferenceError, InputError
from oumi.inference import RemoteInferenceEngine
from oumi.runner.parts.attempts import copy_records
from oumi.runner.parts.merge import merge_parts
from oumi.runner.storage.journal import Journal
from tests.conftest import count_records
from tests.fault_server import FaultServer

ROWS = 50
PARTS = 7

_ATTEMPT = """
import sys
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
remote = RemoteParams(api_url=sys.argv[1], num_workers=2)
config = InferenceConfig(input_path=sys.argv[2], output_path=sys.argv[3], part=sys.argv[4])
RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote).infer(None, config)
"""


@pytest.fixture
def engine(server: FaultServer):
    remote = RemoteParams(api_url=server.api_url, num_workers=8, max_retries=0)
    with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as made:
        yield made


def _config(tmp_path: Path, name: str, **fields: object) -> InferenceConfig:
    source = tmp_path / "in.jsonl"
    if not source.exists():
        rows = [{"messages": [{"role": "user", "content": f"row-{i}"}]} for i in range(ROWS)]
        source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return InferenceConfig(input_path=str(source), output_path=str(tmp_path / name), **fields)


def _paths(config: InferenceConfig) -> list[str]:
    return [str(config.input_path), str(config.output_path), str(config.part)]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("out.jsonl", {}),
        ("out.parquet", {}),
        ("out.csv", {}),
        ("samples.jsonl", {"generation": GenerationParams(num_samples=3, temperature=1.0, seed=1)}),
    ],
)
def test_merged_parts_are_the_run(
    engine: RemoteInferenceEngine,
    server: FaultServer,
    tmp_path: Path,
    name: str,
    fields: dict[str, object],
):
    whole = _config(tmp_path, f"whole-{name}", **fields)
    engine.infer(None, whole)
    asked = server.stats()["requests"]
    config = _config(tmp_path, name, **fields)
    for number in range(PARTS, 0, -1):
        engine.infer(None, config.model_copy(update={"part": f"{number}/{PARTS}"}))
    assert server.stats()["requests"] == 2 * asked
    merge_parts(engine.session(config))
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()
    engine.infer(None, config)
    merge_parts(engine.session(config))
    assert server.stats()["requests"] == 2 * asked, "the merged output is a finished run"


def test_parts_behind_a_url(
    engine: RemoteInferenceEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    whole = _config(tmp_path, "whole.jsonl")
    engine.infer(None, whole)
    url = f"memory://{tmp_path.name}/out.jsonl"
    config = whole.model_copy(update={"output_path": url})
    for number in range(1, PARTS + 1):
        answered = engine.infer(None, config.model_copy(update={"part": f"{number}/{PARTS}"}))
        assert answered[-1][-1].content.startswith("answer to row-")
    merged = merge_parts(engine.session(config))
    assert fsspec.open(url).open().read() == (tmp_path / "whole.jsonl").read_bytes()
    assert len(list(merged.conversations)) == ROWS
    del answered, merged
    gc.collect()
    assert list(scratch.iterdir()) == []


def test_attempts_at_once_do_no_harm(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    server.plan(latency_ms=20)
    config = _config(tmp_path, "out.jsonl", part="1/1")
    command = [sys.executable, "-c", _ATTEMPT, server.api_url, *_paths(config)]
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(subprocess.run, command, timeout=60) for _ in range(2)]
    assert [process.result().returncode for process in done] == [0, 0]
    whole = config.model_copy(update={"part": None})
    result = merge_parts(engine.session(whole))
    assert [c[-1].content for c in result.conversations] == [
        f"answer to row-{i}" for i in range(ROWS)
    ]


def test_a_killed_attempt_is_gone_on_with(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    server.plan(latency_ms=40)
    config = _config(tmp_path, "out.jsonl", part="2/2")
    command = [sys.executable, "-c", _ATTEMPT, server.api_url, *_paths(config)]
    process = subprocess.Popen(command, env=os.environ)
    folder = tmp_path / "out.jsonl.parts" / "2-of-2"
    while sum(map(count_records, folder.glob("*.journal"))) < 5:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    recorded = sum(map(count_records, folder.glob("*.journal")))
    before = server.stats()["requests"]
    assert before <= recorded + 2
    assert len(engine.infer(None, config)) == ROWS // 2
    assert server.stats()["requests"] == before + ROWS // 2 - recorded


def test_what_is_missing_is_named(engine: RemoteInferenceEngine, tmp_path: Path):
    config = _config(tmp_path, "out.jsonl")
    with pytest.raises(InputError, match="no parts"):
        merge_parts(engine.session(config))
    engine.infer(None, config.model_copy(update={"part": "2/3"}))
    with pytest.raises(InputError, match=r"33 of 50 rows have no answer yet.*: 1/3, 3/3$"):
        merge_parts(engine.session(config))
    assert not (tmp_path / "out.jsonl").exists()


def test_failed_rows_are_merged_and_asked_again(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    server.plan(scripts={"row-30": [{"kind": "status", "code": 400}]})
    config = _config(tmp_path, "out.jsonl")
    engine.infer(None, config.model_copy(update={"part": "1/2"}))
    with pytest.raises(InferenceError):
        engine.infer(None, config.model_copy(update={"part": "2/2"}))
    result = merge_parts(engine.session(config))
    assert list(result.failures) == [30]
    assert len(result.rows) == ROWS - 1
    engine.infer(None, config.model_copy(update={"part": "2/2"}))
    assert not merge_parts(engine.session(config)).has_failures
    assert server.stats()["requests"] == ROWS + 1


def test_more_parts_than_rows(engine: RemoteInferenceEngine, tmp_path: Path):
    config = _config(tmp_path, "out.jsonl")
    for number in range(1, 81):
        engine.infer(None, config.model_copy(update={"part": f"{number}/80"}))
    assert len(merge_parts(engine.session(config)).rows) == ROWS


def test_an_estimate_of_a_part(engine: RemoteInferenceEngine, tmp_path: Path):
    config = _config(tmp_path, "out.parquet", part="2/2")
    assert engine.estimate(None, config).left == ROWS // 2
    engine.estimate(None, config, pilot=4)
    assert engine.estimate(None, config).left == ROWS // 2 - 4
    engine.infer(None, config)
    assert engine.estimate(None, config).left == 0
    assert engine.estimate(None, config.model_copy(update={"part": "1/2"})).left == ROWS // 2


def test_budgets_are_divided(engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path):
    generation = GenerationParams(max_new_tokens=16)
    config = _config(tmp_path, "out.jsonl", max_total_tokens=300, generation=generation)
    for part in ("1/2", "2/2"):
        said = f"max_total_tokens = 150, the share of part {part}, is reached"
        with pytest.raises(BudgetError, match=said):
            engine.infer(None, config.model_copy(update={"part": part}))
    stats = server.stats()
    assert stats["requests"] < ROWS
    assert stats["prompt_tokens"] + stats["completion_tokens"] <= 300


def test_what_may_be_paid_for_is_known_to_later_attempts(tmp_path: Path):
    sources = [tmp_path / "a.journal", tmp_path / "b.journal"]
    for source, tokens in zip(sources, ([700, 20], [300, 90]), strict=True):
        with Journal(source) as journal:
            journal.append_note("unrecorded", tokens)
    copy_records(sources, tmp_path / "c.journal")
    with Journal(tmp_path / "c.journal") as journal:
        assert journal.notes["unrecorded"] == [700, 90]


@pytest.mark.parametrize("part", ["0/3", "4/3", "3", "a/b", "1/0"])
def test_no_part(part: str):
    with pytest.raises(ValueError, match="expected a part such as 3/16"):
        InferenceConfig(part=part)


def test_a_part_needs_an_output(engine: RemoteInferenceEngine):
    with pytest.raises(ConfigError, match="part: 1/2 of what: set output_path"):
        engine.infer(["a", "b"], InferenceConfig(part="1/2"))
