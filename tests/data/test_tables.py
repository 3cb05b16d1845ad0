"""Tables as output: their columns, their types, and what becomes of rows that failed."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.errors import ConfigError, InputError, StorageError
from oumi.inference import OpenAIInferenceEngine, RemoteInferenceEngine
from tests.data.writing import write_rows
from tests.fault_server import FaultServer

FACTS = ["finish_reason", "prompt_tokens", "completion_tokens", "cost_usd", "error"]
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "price": {"type": "number"},
        "stock": {"type": ["integer", "null"]},
        "tags": {"type": "array", "items": {"type": "string"}},
        "maker": {"$ref": "#/$defs/Maker"},
        "extra": {"anyOf": [{"type": "string"}, {"type": "array"}]},
        "error": {"type": "boolean"},
    },
    "required": ["name"],
    "$defs": {
        "Maker": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "since": {"type": "integer"}},
        }
    },
}
ANSWER = {
    "name": "Ünit",
    "price": 3,
    "stock": None,
    "tags": ["a", "b"],
    "maker": {"city": "Ulm", "since": 1900},
    "extra": [1],
    "error": False,
}
TYPED = GenerationParams(guided_decoding=GuidedDecodingParams(json=SCHEMA))


@pytest.fixture
def typed(run: Callable[..., Path], server: FaultServer, tmp_path: Path) -> Path:
    """A Parquet file of typed answers."""
    server.plan(message={"content": json.dumps(ANSWER)})
    rows = [{"prompt": f"row-{i}", "name": i} for i in range(3)]
    source = write_rows(tmp_path / "in.jsonl", rows)
    return run(str(source), tmp_path / "out.parquet", generation=TYPED)


def test_a_schema_gives_typed_columns(typed: Path):
    schema = pq.read_schema(typed)
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        "prompt": "string",
        "name": "int64",
        "output_name": "string",
        "price": "double",
        "stock": "int64",
        "tags": "list<element: string>",
        "maker": "struct<city: string, since: int64>",
        "extra": "string",
        "error": "bool",
        "finish_reason": "string",
        "prompt_tokens": "int64",
        "completion_tokens": "int64",
        "cost_usd": "double",
        "output_error": "string",
    }


def test_four_libraries_read_the_same_values(typed: Path):
    wanted = ("row-1", 1, "Ünit", 3.0, ["a", "b"], {"city": "Ulm", "since": 1900}, "[1]", False)
    names = ["prompt", "name", "output_name", "price", "tags", "maker", "extra", "error"]
    by_arrow = pq.read_table(typed).to_pylist()[1]
    by_pandas = pd.read_parquet(typed).iloc[1].to_dict()
    by_polars = pl.read_parquet(typed).row(1, named=True)
    columns = ", ".join(f'"{name}"' for name in names)
    by_duckdb = duckdb.sql(f"select {columns} from '{typed}'").fetchall()[1]
    by_pandas["tags"] = list(by_pandas["tags"])
    for row in (by_arrow, by_pandas, by_polars):
        assert tuple(row[name] for name in names) == wanted
    assert by_duckdb == wanted
    assert pd.read_parquet(typed)["prompt_tokens"].dtype == "int64"


def test_columns_of_arrow_pass_unchanged(run: Callable[..., Path], tmp_path: Path):
    import datetime
    import decimal

    table = pa.table(
        {
            "prompt": pa.array(["row-0", "row-1"], pa.large_string()),
            "when": pa.array([1, None], pa.timestamp("ns", tz="Europe/Berlin")),
            "price": pa.array([decimal.Decimal("1.10"), None], pa.decimal128(10, 2)),
            "kind": pa.array(["a", "b"]).dictionary_encode(),
            "raw": pa.array([b"\xff\x00", None]),
            "day": pa.array([datetime.date(2026, 1, 2), None]),
            "deep": pa.array([[{"a": 1}], []]),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    output = run(str(tmp_path / "in.parquet"), tmp_path / "out.parquet")
    assert (
        pq.read_table(output)
        .select(table.column_names)
        .equals(pq.read_table(tmp_path / "in.parquet"))
    )
    lines = run(str(tmp_path / "in.parquet"), tmp_path / "t.jsonl", output_format="table")
    first = json.loads(lines.read_text().splitlines()[0])
    assert (first["price"], first["raw"], first["day"]) == ("1.10", "/wA=", "2026-01-02")


def test_columns_of_other_types_in_json_become_json_text(run: Callable[..., Path], tmp_path: Path):
    rows: list[dict[str, Any]] = [
        {"prompt": "row-0", "a": 1, "b": "x", "c": {"x": 1}, "e": 2**70},
        {"prompt": "row-1", "a": 1.5, "b": 2, "c": {"y": [True]}, "d": []},
    ]
    source = write_rows(tmp_path / "in.jsonl", rows)
    found = pq.read_table(run(str(source), tmp_path / "out.parquet"))
    assert found.column("a").to_pylist() == [1.0, 1.5]
    assert found.column("b").to_pylist() == ['"x"', "2"]
    assert found.column("c").to_pylist() == [{"x": 1, "y": None}, {"x": None, "y": [True]}]
    assert found.column("e").to_pylist() == [str(2**70), None]


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".jsonl"])
def test_rows_that_failed_have_nulls_and_a_reason(
    ending: str, engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    rows = [{"prompt": "row-0", "n": "a"}, {"prompt": "", "n": "b"}, {"prompt": "row-2", "n": "c"}]
    source = write_rows(tmp_path / "in.csv", rows)
    output = tmp_path / f"out{ending}"
    config = InferenceConfig(
        input_path=str(source), output_path=str(output), bad_rows="fail", output_format="table"
    )
    result = engine.infer_partial(None, config)
    assert (list(result.rows), list(result.failures)) == ([0, 2], [1])
    assert [c[-1].content for c in result.conversations] == ["answer to row-0", "answer to row-2"]
    frame = {
        ".parquet": pd.read_parquet,
        ".csv": pd.read_csv,
        ".jsonl": lambda path: pd.read_json(path, lines=True),
    }[ending](output)
    assert list(frame.columns) == ["prompt", "n", "answer", *FACTS]
    assert frame["answer"].isna().tolist() == [False, True, False]
    assert frame["error"].tolist()[1].endswith("in.csv:3: prompt: nothing in it")
    [failure] = Path(f"{output}.failures.jsonl").read_text().splitlines()
    assert json.loads(failure)["columns"] == {"prompt": "", "n": "b"}
    before, requests = output.read_bytes(), server.stats()["requests"]
    assert len(engine.infer_partial(None, config).failures) == 1
    assert (output.read_bytes(), server.stats()["requests"]) == (before, requests)


def test_an_answer_that_has_no_place_fails_with_what_it_cost(
    run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    server.plan(message={"content": '{"name": "x", "stock": 1e300}'})
    source = write_rows(tmp_path / "in.csv", [{"prompt": "row-0"}])
    [row] = pq.read_table(run(str(source), tmp_path / "o.parquet", generation=TYPED)).to_pylist()
    assert "no integer of 64 bits" in row["output_error"]
    assert row["completion_tokens"] > 0
    assert row["name"] is None


def test_the_price_of_each_row(server: FaultServer, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    output = tmp_path / "out.csv"
    with OpenAIInferenceEngine(ModelParams(model_name="gpt-4o-mini")) as engine:
        rows = [{"prompt": "row-0"}, {"prompt": "row-1"}]
        engine.infer(rows, InferenceConfig(output_path=str(output)))
    costs = [float(row["cost_usd"]) for row in csv.DictReader(output.read_text().splitlines())]
    total = json.loads(Path(f"{output}.run.json").read_text())["cost_usd"]
    assert sum(costs) == pytest.approx(total, abs=1e-6)
    assert costs[0] > 0


def test_the_same_answers_in_another_form(
    run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    source = write_rows(tmp_path / "in.csv", [{"prompt": "row-0"}])
    output = tmp_path / "out.jsonl"
    run(str(source), output)
    run(str(source), output, output_format="table")
    assert json.loads(output.read_text())["answer"] == "answer to row-0"
    run(str(source), output)
    assert json.loads(output.read_text())["messages"][-1]["content"] == "answer to row-0"
    assert server.stats()["requests"] == 1


def test_a_table_whose_journal_was_removed_is_known(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    source = write_rows(tmp_path / "in.csv", [{"prompt": "row-0"}])
    config = InferenceConfig(input_path=str(source), output_path=str(tmp_path / "out.parquet"))
    engine.infer(None, config)
    (tmp_path / "out.parquet.journal").unlink()
    again = engine.infer(None, config)
    assert (len(again), server.stats()["requests"]) == (1, 1)
    with pytest.raises(StorageError, match="the answers are in this table"):
        again[0]


def test_long_texts_end_a_row_group(run: Callable[..., Path], tmp_path: Path):
    rows = [{"prompt": f"row-{i}", "long": "x" * 3_000_000} for i in range(14)]
    output = run(str(write_rows(tmp_path / "in.parquet", rows)), tmp_path / "out.parquet")
    assert pq.read_metadata(output).num_row_groups == 3
    assert pq.read_table(output).column("prompt").to_pylist() == [f"row-{i}" for i in range(14)]


def test_what_cannot_be_a_table_is_refused(engine: RemoteInferenceEngine, tmp_path: Path):
    for fields, said in [
        ({"output_path": str(tmp_path / "out.txt")}, "a table ends in .parquet"),
        ({}, "set output_path"),
    ]:
        with pytest.raises(ConfigError, match=said):
            engine.infer([{"prompt": "a"}], InferenceConfig(output_format="table", **fields))
    with pytest.raises(ConfigError, match="output_format"):
        engine.infer(
            [{"prompt": "a"}],
            InferenceConfig(output_format="conversations", output_path=str(tmp_path / "o.parquet")),
        )


def test_what_cannot_be_written_is_said_before_anything_is_asked(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    months = pa.array([None], pa.month_day_nano_interval())
    table = pa.table({"prompt": ["row-0"], "months": months})
    config = InferenceConfig(output_path=str(tmp_path / "out.parquet"))
    with pytest.raises(InputError, match="cannot be written as Parquet"):
        engine.infer(table, config)
    for name, value in [("a", 1), ("b", "x")]:
        write_rows(tmp_path / f"{name}.parquet", [{"prompt": "row-0", "n": value}])
    config.input_path = f"{tmp_path}/*.parquet"
    with pytest.raises(InputError, match="columns of other types"):
        engine.infer(None, config)
    assert server.stats()["requests"] == 0
