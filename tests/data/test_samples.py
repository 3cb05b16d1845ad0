"""Several samples a row: which are asked for, by which seeds, and where they stand."""

from __future__ import annotations

import json
import logging
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import oumi
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.logs import warn_once
from oumi.data.equal_rows import HashCounts
from oumi.data.opening import open_source
from oumi.errors import ConfigError, InferenceError, InputError, OutputExistsError
from oumi.inference import OpenAIInferenceEngine, RemoteInferenceEngine
from tests.conftest import answers, ask
from tests.data.writing import Rows, write_rows
from tests.fault_server import FaultServer

ROWS = [{"text": f"row-{i}", "n": i} for i in range(3)]
FACTS = ["finish_reason", "prompt_tokens", "completion_tokens", "cost_usd", "error"]
GONE = {"scripts": {"row-1": [{"kind": "status", "code": 400}]}}
"""A plan in which the first sample of row 1 is refused."""


def of(samples: int, **fields: Any) -> GenerationParams:
    return GenerationParams(**{"num_samples": samples, "temperature": 1.0, **fields})


def write(path: Path, rows: Rows) -> str:
    return str(write_rows(path, rows))


def seeds_seen(server: FaultServer) -> list[int]:
    return [json.loads(seen["body"])["seed"] for seen in server.stats()["last"]]


@pytest.fixture
def one_by_one(server: FaultServer) -> RemoteInferenceEngine:
    """An engine that sends one request at a time, so that their order is that of the rows."""
    remote = RemoteParams(api_url=server.api_url, num_workers=1, use_adaptive_concurrency=False)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def test_conversations_follow_one_another_and_say_which_sample_they_are(
    one_by_one: RemoteInferenceEngine,
):
    given = [ask(f"row-{i}", conversation_id=f"c{i}", metadata={"k": i}) for i in range(2)]
    found = one_by_one.infer(given, InferenceConfig(generation=of(3)))
    assert [(c.conversation_id, c.metadata["k"]) for c in found] == [
        *[("c0", 0)] * 3,
        *[("c1", 1)] * 3,
    ]
    assert [c.metadata["sample"] for c in found] == [0, 1, 2] * 2
    assert answers(found) == ["answer to row-0"] * 3 + ["answer to row-1"] * 3
    assert given[0].metadata == {"k": 0}


def test_each_sample_has_a_seed_of_its_own_and_the_first_that_of_the_run(
    one_by_one: RemoteInferenceEngine, server: FaultServer
):
    rows = [ask("row-0"), ask("row-1")]
    one_by_one.infer(rows, InferenceConfig(generation=of(4, seed=7)))
    seeds = seeds_seen(server)
    assert seeds[0] == 7
    assert len(set(seeds[:4])) == 4
    assert seeds[:4] == seeds[4:]
    assert all(0 <= seed < 2**31 for seed in seeds)
    server.reset()
    one_by_one.infer(rows[:1], InferenceConfig(generation=of(4, seed=8)))
    assert set(seeds).isdisjoint(seeds_seen(server))


def test_seeds_derive_from_the_seed_of_the_row(
    one_by_one: RemoteInferenceEngine, server: FaultServer
):
    table = [{"text": "row-0", "seed": 5}, {"text": "row-1", "seed": 6}]
    oumi.infer_table(table, prompt="{{ text }}", engine=one_by_one, n=2, temperature=1.0)
    seeds = seeds_seen(server)
    assert (seeds[0], seeds[2]) == (5, 6)
    assert len(set(seeds)) == 4


def test_more_samples_ask_for_the_further_ones_alone(
    run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    source, output = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    settings = {"prompt": "{{ text }}", "generation": of(1)}
    server.plan()
    for samples, asked in ((1, 3), (4, 12), (8, 24), (8, 24)):
        settings["generation"] = of(samples)
        run(source, output, **settings)
        assert server.stats()["requests"] == asked
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["metadata"]["sample"] for line in lines] == [*range(8)] * 3
    assert [line["messages"][0]["content"] for line in lines[::8]] == ["row-0", "row-1", "row-2"]
    journal = map(json.loads, Path(f"{output}.journal").read_text().splitlines())
    assert len({line["key"] for line in journal if "key" in line}) == 24

    settings["generation"] = of(2)
    with pytest.raises(OutputExistsError, match="overwrite"):
        run(source, output, **settings)
    run(source, output, overwrite=True, **settings)
    assert server.stats()["requests"] == 24
    assert len(output.read_text().splitlines()) == 6


def test_failures_name_row_and_sample(
    engine: RemoteInferenceEngine, server: FaultServer, tmp_path: Path
):
    source, output = write(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    config = InferenceConfig(
        input_path=str(source), output_path=str(output), prompt="{{ text }}", generation=of(2)
    )
    server.plan(**GONE)
    with pytest.raises(
        InferenceError, match=r"1 of 6 rows failed; sample [01] of row 1: "
    ) as found:
        engine.infer(None, config)
    result = found.value.result
    [number] = result.failed_indices
    assert result.rows == [at for at in range(6) if at != number]
    assert number // result.num_samples == 1
    line = json.loads(Path(f"{output}.failures.jsonl").read_text())
    assert (line["row"], line["sample"], line["line"]) == (1, number % 2, 2)
    assert json.loads(Path(f"{output}.run.json").read_text())["num_samples"] == 2
    requests = server.stats()["requests"]
    assert len(engine.infer(None, config)) == 6
    assert server.stats()["requests"] == requests + 1


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_tables_have_a_row_a_sample(
    suffix: str, run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    server.plan(**GONE)
    source, output = write(tmp_path / f"in{suffix}", ROWS), tmp_path / f"out{suffix}"
    run(source, output, prompt="{{ text }}", output_format="table", generation=of(2))
    frame = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}[suffix](
        output
    )
    assert frame.columns == ["text", "n", "sample", "answer", *FACTS]
    assert frame["n"].to_list() == [0, 0, 1, 1, 2, 2]
    assert frame["sample"].to_list() == [0, 1] * 3
    assert frame["answer"].null_count() == frame["error"].drop_nulls().len() == 1


def test_tables_with_lists_have_a_row_a_row(
    run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    server.plan(**GONE)
    source, output = write(tmp_path / "in.parquet", ROWS), tmp_path / "out.parquet"
    run(source, output, prompt="{{ text }}", samples="list", generation=of(2))
    table = pq.read_table(output)
    assert table.column_names == ["text", "n", "answer", *FACTS]
    assert table.schema.field("prompt_tokens").type == pa.list_(pa.int64())
    rows = table.to_pylist()
    assert [row["n"] for row in rows] == [0, 1, 2]
    assert rows[2]["answer"] == ["answer to row-2"] * 2
    assert sorted(rows[1]["answer"], key=str) == [None, "answer to row-1"]
    assert [text is None for text in rows[1]["answer"]] == [
        text is not None for text in rows[1]["error"]
    ]
    before = server.stats()["requests"]
    run(source, tmp_path / "out.parquet", prompt="{{ text }}", samples="list", generation=of(2))
    assert server.stats()["requests"] == before + 1
    assert pq.read_table(output).column("error").to_pylist() == [[None, None]] * 3


def test_what_an_input_calls_sample_keeps_its_name(
    run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    source = write(tmp_path / "in.csv", [{"prompt": "row-0", "sample": "x"}])
    output = run(source, tmp_path / "out.csv", generation=of(2))
    frame = pl.read_csv(output)
    assert frame.columns[:3] == ["prompt", "sample", "output_sample"]
    assert frame["output_sample"].to_list() == [0, 1]


@pytest.mark.parametrize("make", [list, pd.DataFrame, pl.DataFrame, pa.Table.from_pylist])
def test_infer_table_gives_each_row_so_often(make: Any, engine: RemoteInferenceEngine):
    found = oumi.infer_table(make(ROWS), prompt="{{ text }}", engine=engine, n=2, temperature=1.0)
    plain = found if make is list else pl.DataFrame(found).to_dicts()
    assert isinstance(found, type(make(ROWS)))
    assert list(plain[0]) == ["text", "n", "sample", "answer", *FACTS]
    assert [(row["n"], row["sample"]) for row in plain] == [
        (row, sample) for row in range(3) for sample in range(2)
    ]
    assert plain[5]["answer"] == "answer to row-2"


def test_infer_table_with_lists(engine: RemoteInferenceEngine, server: FaultServer):
    server.plan(message={"content": '{"mood": "good", "score": 3}'})
    properties = {"mood": {"type": "string"}, "score": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": ["mood", "score"]}
    frame = pd.DataFrame(ROWS, index=list("xyz"))
    asked = {"prompt": "{{ text }}", "schema": schema, "engine": engine, "temperature": 1.0}
    found = oumi.infer_table(
        frame,
        n=2,
        samples="list",
        parse=lambda row, answer: {"twice": 2 * answer["score"]},
        **asked,
    )
    assert list(found.columns) == ["text", "n", "mood", "score", "twice", *FACTS]
    assert found.index.tolist() == list("xyz")
    assert [list(one) for one in found["score"]] == [[3, 3]] * 3
    assert [list(one) for one in found["twice"]] == [[6, 6]] * 3
    rows = oumi.infer_table(ROWS, samples="list", **asked)
    assert rows[0]["mood"] == ["good"], "a list of one, so that a column's type does not change"


def test_a_list_is_no_conversation(run: Callable[..., Path], tmp_path: Path):
    source = write(tmp_path / "in.jsonl", ROWS)
    with pytest.raises(ConfigError, match="samples: a list is for tables"):
        run(source, tmp_path / "out.jsonl", prompt="{{ text }}", samples="list")


def test_samples_that_would_be_the_same(
    engine: RemoteInferenceEngine, server: FaultServer, caplog: pytest.LogCaptureFixture
):
    with pytest.raises(ConfigError, match="2 samples at temperature 0, the default"):
        engine.infer("row-0", InferenceConfig(generation=GenerationParams(n=2)))
    warn_once.cache_clear()
    with caplog.at_level(logging.WARNING, "oumi"):
        engine.infer("row-0", InferenceConfig(generation=of(2, temperature=0)))
    assert "the 2 samples of a row are most likely the same" in caplog.text
    table = [{"text": "row-0", "temperature": 1.0}]
    assert len(oumi.infer_table(table, prompt="{{ text }}", engine=engine, n=2)) == 2


def test_models_that_take_no_temperature_are_sampled_without(server: FaultServer):
    remote = RemoteParams(api_url=server.api_url, api_key="k")
    with OpenAIInferenceEngine(ModelParams(model_name="o3"), remote_params=remote) as engine:
        assert len(engine.infer("row-0", InferenceConfig(generation=GenerationParams(n=2)))) == 2


def test_the_short_way_gives_a_list(engine: RemoteInferenceEngine):
    found = oumi.infer("row-0", n=2, temperature=1.0, engine=engine)
    assert answers(found) == ["answer to row-0"] * 2
    assert len(oumi.infer("row-0", num_samples=1, engine=engine)) == 1


def test_a_stream_is_one_answer(engine: RemoteInferenceEngine):
    with pytest.raises(ConfigError, match="num_samples: this is one answer"):
        list(engine.stream("row-0", InferenceConfig(generation=of(2))))


def test_a_row_cannot_have_a_number_of_its_own(run: Callable[..., Path], tmp_path: Path):
    source = write(tmp_path / "in.jsonl", [{"prompt": "row-0", "how": {"num_samples": 2}}])
    with pytest.raises(InputError, match="jsonl:1: num_samples: all rows of a run have the same"):
        run(source, tmp_path / "out.jsonl", settings_column="how")


def test_equal_rows_have_seeds_of_their_own_under_the_seed_of_the_run(
    one_by_one: RemoteInferenceEngine, server: FaultServer
):
    rows = [ask("row-0"), ask("row-1"), ask("row-0"), ask("row-0", metadata={"k": 1})]
    for order in (rows, [rows[3], rows[2], rows[1], rows[0]]):
        server.reset()
        one_by_one.infer(order, InferenceConfig(generation=of(1, seed=7)))
        seeds = seeds_seen(server)
        equal = [seed for row, seed in zip(order, seeds, strict=True) if row != rows[1]]
        assert len(set(equal)) == 3
        assert equal[0] == seeds[order.index(rows[1])] == 7
    server.reset()
    one_by_one.infer(rows, InferenceConfig(generation=of(1, seed=7, temperature=0)))
    assert seeds_seen(server) == [7] * 4, "nothing is drawn"


def test_equal_rows_with_the_same_seed_of_their_own_stay_equal(
    one_by_one: RemoteInferenceEngine, server: FaultServer
):
    table = [{"text": "row-0", "seed": 5}, {"text": "row-0", "seed": 5}]
    oumi.infer_table(table, prompt="{{ text }}", engine=one_by_one, temperature=1.0)
    assert seeds_seen(server) == [5, 5]


def test_equal_rows_keep_their_answers(
    run: Callable[..., Path], server: FaultServer, tmp_path: Path
):
    server.plan(rows_by_seed=True)
    rows = [{"text": "row-0"}, {"text": "row-1"}, {"text": "row-0"}]
    settings = {"prompt": "{{ text }}", "generation": of(2, seed=7)}
    whole = run(write(tmp_path / "in.jsonl", rows), tmp_path / "whole.jsonl", **settings)
    output = tmp_path / "out.jsonl"
    run(write(tmp_path / "in2.jsonl", rows[:2]), output, **settings)
    source = write(tmp_path / "in3.jsonl", rows)
    server.reset()
    run(source, output, **settings)
    assert server.stats()["requests"] == 2
    assert output.read_bytes() == whole.read_bytes()
    assert len(set(output.read_text().splitlines())) == 6


def test_hashes_are_counted():
    counts, seen = HashCounts(), Counter()
    numbers = random.Random(3)
    for _ in range(20_000):
        value = numbers.randrange(15_000) * 0x9E3779B97F4A7C15 % 2**64
        assert counts.add(value) == seen[value]
        seen[value] += 1


def test_equal_rows_have_the_same_numbers_in_each_pass():
    rows = [ask(f"row-{i % 3}") for i in range(10)]
    config = InferenceConfig(generation=of(2, seed=1))
    expected = [(i, i % 2, i // 2 // 3) for i in range(20)]
    for start in (0, 7, 20):
        source = open_source(rows, config)
        for first in (start, 0, start, 13):
            found = [(row.index, row.sample, row.repeat) for row in source.rows(first)]
            assert found == expected[first:]
