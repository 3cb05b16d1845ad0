"""`batch: true` with several samples a row, and with a cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.errors import ConfigError
from oumi.inference import OpenAIInferenceEngine
from tests.batch.api import expected, finish, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer


@pytest.fixture
def openai(server: FaultServer):
    with make(server, batch_poll_s=0.01) as engine:
        yield engine


def of(samples: int, **settings: Any) -> InferenceConfig:
    drawn = GenerationParams(num_samples=samples, temperature=1.0, seed=7)
    return InferenceConfig(batch=True, generation=drawn, **settings)


def facts(output: Path) -> dict[str, Any]:
    return json.loads(Path(f"{output}.run.json").read_text())


def asked(server: FaultServer) -> dict[str, int]:
    """How often each row was submitted."""
    return server.batches()["rows"]


def one_by_one(server: FaultServer) -> int:
    return sum(ok for row, ok in server.answered().items() if row.startswith("row-"))


def test_each_sample_is_a_line_and_further_ones_are_submitted_alone(
    server: FaultServer, openai: OpenAIInferenceEngine, write_jsonl, tmp_path: Path
):
    output = tmp_path / "out.jsonl"
    paths = {"input_path": str(write_jsonl(rows(2))), "output_path": str(output)}
    for samples in (2, 2, 4, 4):
        found = openai.infer(None, of(samples, **paths))
        assert asked(server) == {"row-0": samples, "row-1": samples}
        assert [c.metadata["sample"] for c in found] == [*range(samples)] * 2
    assert answers(found) == ["answer to row-0"] * 4 + ["answer to row-1"] * 4
    lines = map(json.loads, Path(f"{output}.journal").read_text().splitlines())
    assert len({line["key"] for line in lines if "completion" in line}) == 8
    assert (facts(output)["num_samples"], facts(output)["engine"]) == (4, "OPENAI")
    assert one_by_one(server) == 0


def test_other_samples_are_not_begun_while_a_job_of_these_rows_goes_on(
    server: FaultServer, openai: OpenAIInferenceEngine, tmp_path: Path
):
    server.plan(batch={"hold": True})
    batch_id = openai.infer_batch(rows(2), of(2).model_copy(update={"batch": False}))
    for samples in (1, 4):
        with pytest.raises(ConfigError, match=f"num_samples: {batch_id} works on 2 samples"):
            openai.infer(rows(2), of(samples, output_path=str(tmp_path / "out.jsonl")))
    assert len(server.batches()["batches"]) == 1
    server.move_batch(id=batch_id, state="completed")
    assert len(openai.infer(rows(2), of(2))) == 4
    assert asked(server) == {"row-0": 2, "row-1": 2}


def test_samples_of_rows_with_settings_of_their_own(
    server: FaultServer, openai: OpenAIInferenceEngine, tmp_path: Path
):
    (tmp_path / "in.csv").write_text("text,seed\nrow-0,5\nrow-1,6\n")
    source = str(tmp_path / "in.csv")
    found = openai.infer(None, of(2, input_path=source, prompt="{{ text }}"))
    assert len(found) == 4
    assert asked(server) == {"row-0": 2, "row-1": 2}


def test_what_the_cache_has_is_not_submitted_and_answers_of_a_batch_fill_it(
    server: FaultServer, openai: OpenAIInferenceEngine, tmp_path: Path
):
    cache = str(tmp_path / "answers.sqlite")
    batch = InferenceConfig(batch=True, cache=cache)
    openai.infer(rows(2), InferenceConfig(cache=cache))
    assert one_by_one(server) == 2
    output = tmp_path / "out.jsonl"
    found = openai.infer(rows(4), InferenceConfig(output_path=str(output)).merge(batch))
    assert answers(found) == expected(range(4))
    assert asked(server) == {"row-2": 1, "row-3": 1}
    assert [c.metadata.get("from_cache", False) for c in found] == [True, True, False, False]
    assert facts(output)["from_cache"] == 2
    again = openai.infer(rows(4), InferenceConfig(cache=cache))
    assert answers(again) == expected(range(4))
    assert all(c.metadata["from_cache"] for c in again)
    openai.infer(rows(3), batch)  # no row is left for a job
    assert (one_by_one(server), len(server.batches()["batches"])) == (2, 1)


def test_run_json_of_a_job_names_engine_and_settings(
    server: FaultServer, openai: OpenAIInferenceEngine, tmp_path: Path
):
    output = tmp_path / "out.jsonl"
    batch_id = openai.infer_batch(rows(2))
    finish(openai, batch_id)
    openai.get_batch_results(batch_id, rows(2), InferenceConfig(output_path=str(output)))
    summary = facts(output)
    assert summary["engine"] == "OPENAI"
    assert summary["settings"]["model"]["model_name"] == "gpt-4"
    assert "sk-of-the-batches" not in json.dumps(summary)
