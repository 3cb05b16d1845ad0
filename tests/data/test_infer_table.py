"""`oumi.infer_table`: what comes back is what was given, with its answers beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import oumi
from oumi.errors import AccessError, ConfigError, InputError
from oumi.inference import RemoteInferenceEngine
from tests.fault_server import FaultServer

ROWS = [{"text": f"row-{i}", "n": i} for i in range(3)]
ANSWERS = [f"answer to row-{i}" for i in range(3)]
FACTS = ["finish_reason", "prompt_tokens", "completion_tokens", "cost_usd", "error"]
PROMPT = "{{ text }}"


def test_pandas_with_its_index(engine: RemoteInferenceEngine):
    frame = pd.DataFrame(ROWS, index=pd.Index(list("xyz"), name="key")).astype({"n": "int8"})
    found = oumi.infer_table(frame, prompt=PROMPT, engine=engine)
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == ["text", "n", "answer", *FACTS]
    assert found.index.tolist() == ["x", "y", "z"]
    assert found["answer"].tolist() == ANSWERS
    assert (str(found["n"].dtype), str(found["prompt_tokens"].dtype)) == ("int8", "Int64")
    assert list(frame.columns) == ["text", "n"], "what was given is not changed"


def test_polars(engine: RemoteInferenceEngine):
    found = oumi.infer_table(pl.DataFrame(ROWS), prompt=PROMPT, engine=engine)
    assert isinstance(found, pl.DataFrame)
    assert found["answer"].to_list() == ANSWERS
    assert found.schema["completion_tokens"] == pl.Int64
    with pytest.raises(InputError, match="LazyFrame; collect it first"):
        oumi.infer_table(pl.DataFrame(ROWS).lazy(), prompt=PROMPT, engine=engine)


@pytest.mark.parametrize("kind", ["pyarrow", "duckdb"])
def test_tables_of_arrow(kind: str, engine: RemoteInferenceEngine):
    table: Any = pa.Table.from_pylist(ROWS)
    given = table if kind == "pyarrow" else duckdb.from_arrow(table)
    found = oumi.infer_table(given, prompt=PROMPT, engine=engine)
    assert isinstance(found, pa.Table)
    assert found.column_names == ["text", "n", "answer", *FACTS]
    assert found.column("answer").to_pylist() == ANSWERS


def test_lists_of_dicts(engine: RemoteInferenceEngine):
    found = oumi.infer_table(ROWS, prompt=PROMPT, engine=engine)
    assert [row["answer"] for row in found] == ANSWERS
    assert "answer" not in ROWS[0]


def test_a_schema_gives_typed_columns(engine: RemoteInferenceEngine, server: FaultServer):
    server.plan(message={"content": '{"mood": "good", "score": 3, "tags": ["a"]}'})
    schema = {
        "type": "object",
        "properties": {
            "mood": {"type": "string"},
            "score": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
    }
    found = oumi.infer_table(pl.DataFrame(ROWS), prompt=PROMPT, schema=schema, engine=engine)
    assert found.schema["score"] == pl.Int64
    assert found.schema["tags"] == pl.List(pl.String)
    assert found.row(0, named=True)["mood"] == "good"


def test_a_run_goes_on_where_it_stopped(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    output = str(tmp_path / "out.parquet")
    oumi.infer_table(pl.DataFrame(ROWS[:2]), prompt=PROMPT, output_path=output, engine=engine)
    found = oumi.infer_table(pl.DataFrame(ROWS), prompt=PROMPT, output_path=output, engine=engine)
    assert found["answer"].to_list() == ANSWERS
    assert server.stats()["requests"] == 3
    assert pl.read_parquet(output).equals(found)


def test_parse_gives_columns_and_is_called_again_without_asking(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    output = str(tmp_path / "out.parquet")
    calls: list[int] = []

    def parse(row: dict[str, Any], answer: str) -> dict[str, Any]:
        calls.append(row["n"])
        if row["n"] == 1 and len(calls) <= 3:
            raise LookupError("nothing found")
        return {"length": len(answer), "n": row["n"] * 10}

    def ask() -> pd.DataFrame:
        return oumi.infer_table(
            pd.DataFrame(ROWS), prompt=PROMPT, parse=parse, output_path=output, engine=engine
        )

    first = ask()
    assert list(first.columns)[2:5] == ["answer", "length", "output_n"]
    assert first["error"].tolist()[1] == "parse: LookupError: nothing found"
    assert first["output_n"].isna().tolist() == [False, True, False]
    assert first["completion_tokens"].tolist()[1] > 0, "it was paid for"
    assert calls == [0, 1, 2], "once a row"
    assert pd.read_parquet(output)["error"].tolist()[1] == first["error"].tolist()[1]
    second = ask()
    assert second["output_n"].tolist() == [0, 10, 20]
    assert server.stats()["requests"] == 3
    assert pd.read_parquet(output)["output_n"].tolist() == [0, 10, 20]


def test_what_parse_gives_has_to_be_columns(engine: RemoteInferenceEngine):
    found = oumi.infer_table(ROWS, prompt=PROMPT, parse=lambda row, answer: answer, engine=engine)
    assert found[0]["error"].startswith("parse: TypeError: gave no dict of columns: 'answer")


def test_rows_that_failed_have_a_reason(engine: RemoteInferenceEngine, server: FaultServer):
    server.plan(scripts={"row-1": [{"kind": "status", "code": 400}]})
    found = oumi.infer_table(pd.DataFrame(ROWS), prompt=PROMPT, engine=engine)
    assert found["answer"].isna().tolist() == [False, True, False]
    assert found["error"].notna().tolist() == [False, True, False]
    server.plan(faults=[{"kind": "status", "code": 401, "times": None}])
    with pytest.raises(AccessError):
        oumi.infer_table(pd.DataFrame(ROWS), prompt=PROMPT, engine=engine)


def test_a_table_without_rows(engine: RemoteInferenceEngine):
    empty = pl.DataFrame(schema={"text": pl.String})
    found = oumi.infer_table(empty, prompt=PROMPT, engine=engine)
    assert found.columns == ["text", "answer", *FACTS]


def test_engines_take_tables_as_conversations(engine: RemoteInferenceEngine):
    from oumi.core.configs import InferenceConfig

    frame = pl.DataFrame({"prompt": ["row-0", "row-1"]})
    assert [c[-1].content for c in engine.infer(frame)] == ANSWERS[:2]
    found = engine.infer(frame, InferenceConfig(prompt="{{ prompt }}"))
    assert [c[-1].content for c in found] == ANSWERS[:2]
    with pytest.raises(ConfigError, match="'prmpt' is no column"):
        engine.infer(frame, InferenceConfig(prompt="{{ prmpt }}"))


def test_an_iterator_of_rows_is_kept_on_disk(engine: RemoteInferenceEngine, tmp_path: Path):
    from oumi.core.configs import InferenceConfig

    output = tmp_path / "out.jsonl"
    config = InferenceConfig(output_path=str(output), output_format="table", prompt=PROMPT)
    engine.infer((dict(row) for row in ROWS), config)
    assert [json.loads(line)["answer"] for line in output.read_text().splitlines()] == ANSWERS
