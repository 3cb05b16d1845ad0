"""Settings that rows bring along: sent for their row alone, and part of its key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.errors import ConfigError, InputError
from oumi.inference import AnthropicInferenceEngine, LlamaCppInferenceEngine, RemoteInferenceEngine
from tests.data.test_shapes import error_of
from tests.data.writing import write_rows
from tests.fault_server import FaultServer


def sent(server: FaultServer) -> dict[str, dict[str, Any]]:
    """The bodies of all requests by their question."""
    bodies = [json.loads(request["body"]) for request in server.stats()["last"]]
    return {body["messages"][0]["content"]: body for body in bodies}


def test_columns_are_settings_of_their_row(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    rows = [
        {"prompt": "row-0", "temperature": 0.25, "max_new_tokens": 7, "seed": 1},
        {"prompt": "row-1", "temperature": None, "max_new_tokens": None, "seed": None},
    ]
    source = write_rows(tmp_path / "in.parquet", rows)
    config = InferenceConfig(input_path=str(source), output_path=str(tmp_path / "out.jsonl"))
    engine.infer(None, config)
    bodies = sent(server)
    assert [bodies["row-0"][name] for name in ("temperature", "max_tokens", "seed")] == [0.25, 7, 1]
    assert bodies["row-1"]["temperature"] == 0.0
    assert "seed" not in bodies["row-1"]


def test_a_row_under_its_own_settings_has_the_key_of_a_run_under_these(
    run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    plain = write_rows(tmp_path / "plain.csv", [{"prompt": "row-0"}])
    generation = GenerationParams(seed=5, temperature=0.5)
    first = run(str(plain), tmp_path / "first.jsonl", generation=generation)
    own = write_rows(tmp_path / "own.csv", [{"prompt": "row-0", "seed": 5, "temperature": 0.5}])
    run(str(own), tmp_path / "second.jsonl", Path(f"{first}.journal"))
    assert server.stats()["requests"] == 1
    other = write_rows(tmp_path / "other.csv", [{"prompt": "row-0", "seed": 6, "temperature": 0.5}])
    run(str(other), tmp_path / "third.jsonl", Path(f"{first}.journal"))
    assert server.stats()["requests"] == 2


def test_one_column_with_all_settings(engine: RemoteInferenceEngine, server: FaultServer):
    rows = [
        {"prompt": "row-0", "how": {"top_p": 0.5}, "seed": 1},
        {"prompt": "row-1", "how": '{"stop_strings": ["x"]}', "seed": 1},
        {"prompt": "row-2", "how": None, "seed": 1},
    ]
    engine.infer(rows, InferenceConfig(settings_column="how"))
    bodies = sent(server)
    assert bodies["row-0"]["top_p"] == 0.5
    assert bodies["row-1"]["stop"] == ["x"]
    assert all("seed" not in body for body in bodies.values()), "there the column is none by name"


def test_no_column_is_a_setting_where_the_user_says_so(
    engine: RemoteInferenceEngine, server: FaultServer
):
    engine.infer([{"prompt": "row-0", "seed": 1}], InferenceConfig(settings_column=""))
    assert "seed" not in sent(server)["row-0"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"temperature": -1}, "temperature: Input should be greater than or equal to 0"),
        ({"temperature": "warm"}, "temperature: Input should be a valid number"),
        ({"seed": "x"}, "seed: Input should be a valid integer"),
        ({"schema": '{"type": 7}'}, "guided_decoding.json: "),
        ({"schema": "{"}, "EOF while parsing"),
    ],
)
def test_a_wrong_setting_is_an_error_of_its_row(row: dict[str, Any], said: str):
    found = error_of([{"prompt": "a", **dict.fromkeys(row)}, {"prompt": "b", **row}])
    assert found.startswith("the list of rows: row 1: ")
    assert said in found


def test_a_setting_that_the_engine_cannot_honour_fails_its_row_alone(server: FaultServer):
    remote = RemoteParams(api_url=server.url, api_key="k")
    with AnthropicInferenceEngine(
        ModelParams(model_name="claude-x"), remote_params=remote
    ) as engine:
        rows = [{"prompt": "row-0", "seed": 1}, {"prompt": "row-1", "seed": None}]
        result = engine.infer_partial(rows)
    assert result.rows == [1]
    assert "the row's own settings: ANTHROPIC cannot honour generation.seed" in (
        result.failures[0].error_message
    )


def test_a_batch_job_on_this_machine_keeps_no_settings_of_rows():
    with (
        LlamaCppInferenceEngine() as engine,
        pytest.raises(InputError, match="settings of their own, which a batch job on this machine"),
    ):
        engine.infer_batch([{"prompt": "a", "seed": 1}])


def test_schemas_of_rows_shape_their_answers(tmp_path: Path):
    schemas = [
        {
            "type": "object",
            "properties": {name: {"enum": [1]}},
            "required": [name],
            "additionalProperties": False,
        }
        for name in ("a", "b")
    ]
    rows = [{"prompt": f"Row {i}", "schema": json.dumps(one)} for i, one in enumerate(schemas)]
    with LlamaCppInferenceEngine() as local:
        output = tmp_path / "out.jsonl"
        config = InferenceConfig(
            generation=GenerationParams(max_new_tokens=200), output_path=str(output)
        )
        found = local.infer(rows, config)
        assert [next(iter(one.parsed())) for one in found] == ["a", "b"]
        asked = local.asked
        output.unlink()
        assert [one.parsed() for one in local.infer(rows, config)] == [o.parsed() for o in found]
        assert local.asked == asked


def test_settings_for_columns_are_refused_for_rows_without(engine: RemoteInferenceEngine):
    with pytest.raises(ConfigError, match=r"prompt: is for rows with columns, .* these are str"):
        engine.infer(["row-0"], InferenceConfig(prompt="{{ x }}"))
