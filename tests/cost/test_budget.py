"""A budget is a promise: nothing begins that could pass it, whatever happens to requests."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from oumi import infer_table
from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    PriceParams,
)
from oumi.core.types import InferenceResult
from oumi.errors import BudgetError, ConfigError
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import ask, short, sums
from tests.cost.conftest import MOST_TOKENS, StartEngine, asked, cost_of, questions, settings
from tests.fault_server import FaultServer

ROWS = 1500
RANDOM = {"answer_tokens": [1, MOST_TOKENS]}


def test_a_run_ends_at_its_cap_and_goes_on_with_a_higher_one(
    start: StartEngine, server: FaultServer, tmp_path: Path
):
    engine, rows = start(num_workers=64), questions(ROWS)
    server.plan(**RANDOM)
    engine.infer(rows, settings())
    whole = cost_of(server)

    server.plan(**RANDOM, latency_ms=20)  # so that all 64 are in flight on a busy machine too
    output = tmp_path / "out.jsonl"
    for share in (0.5, 0.8):
        with pytest.raises(BudgetError) as ended:
            engine.infer(rows, settings(max_cost_usd=share * whole, output_path=str(output)))
        assert 0.9 * share * whole <= cost_of(server) <= share * whole
        done = asked(server)
        kept = f"{done:,} of {ROWS:,} rows are done and kept in {output}.journal"
        assert f". {kept}, {ROWS - done:,} left. With a higher max_cost_usd" in str(ended.value)
        assert not output.exists()
    assert server.stats()["most_in_flight"] == 64
    answers = engine.infer(rows, settings(max_cost_usd=1.01 * whole, output_path=str(output)))
    assert len(answers) == ROWS
    assert set(server.answered().values()) == {1}


def test_what_was_paid_without_an_answer_counts_as_well(
    start: StartEngine, server: FaultServer, tmp_path: Path
):
    faults = [
        {"kind": "cut", "share": 0.05, "times": 1},
        {"kind": "truncated_json", "share": 0.05, "times": 1},
        {"kind": "status", "code": 429, "share": 0.1, "times": 1, "retry_after_s": 0},
    ]
    server.plan(**RANDOM, faults=faults)
    engine, cap = start(num_workers=64, retry_backoff_base=0), 0.008
    config = settings(max_cost_usd=cap, output_path=str(tmp_path / "out.jsonl"))
    with pytest.raises(BudgetError, match="max_cost_usd"):
        engine.infer(questions(ROWS), config)
    spent = cost_of(server)
    assert 0.8 * cap <= spent <= cap
    with pytest.raises(BudgetError, match="max_cost_usd"):
        engine.infer(questions(ROWS), config)
    assert cost_of(server) == spent, "nothing more is begun by the same call"


def test_tokens_of_a_model_on_this_machine(engine: LlamaCppInferenceEngine, tmp_path: Path):
    rows, before = sums(60), engine._backend.asked
    config = short(output_path=str(tmp_path / "out.jsonl"))
    with pytest.raises(BudgetError, match="max_total_tokens = 700 is reached") as ended:
        engine.infer(rows, config.model_copy(update={"max_total_tokens": 700}))
    result = ended.value.result
    taken = sum(row.metadata["usage"]["total_tokens"] for row in result.conversations)
    assert 650 < taken <= 700
    assert engine._backend.asked - before == len(result.rows)
    assert len(engine.infer(rows, config)) == 60
    assert engine._backend.asked - before == 60


def test_rows_are_asked_from_the_first(start: StartEngine, server: FaultServer, tmp_path: Path):
    engine, rows = start(), questions(50)
    output = tmp_path / "out.jsonl"
    config = settings(max_rows=20, output_path=str(output))
    for _ in range(2):
        with pytest.raises(BudgetError) as ended:
            engine.infer(rows, config)
        assert str(ended.value) == (
            f"max_rows = 20 is reached. 20 of 50 rows are done and kept in {output}.journal, "
            "30 left. With a higher max_rows the same call goes on"
        )
        assert server.answered() == {f"row-{i}": 1 for i in range(20)}
    engine.infer(rows, config.model_copy(update={"max_rows": 50}))
    assert server.answered() == {f"row-{i}": 1 for i in range(50)}


def test_a_partial_result_says_why_rows_were_not_asked(start: StartEngine):
    result = start().infer_partial(questions(9), settings(max_rows=4))
    assert list(result.rows) == [0, 1, 2, 3]
    assert [failure.error_class for failure in result.failures.values()] == ["BudgetError"] * 5
    assert "4 of 9 rows are done, but not kept: with output_path" in result.error_messages[8]


def test_a_table_goes_on_where_its_budget_ended(
    start: StartEngine, server: FaultServer, tmp_path: Path
):
    frame = pl.DataFrame({"text": [f"row-{i}" for i in range(30)]})
    call = {"prompt": "{{ text }}", "output_path": str(tmp_path / "out.parquet")}
    with pytest.raises(BudgetError) as ended:
        infer_table(frame, engine=start(), config=InferenceConfig(max_rows=10), **call)
    assert isinstance(ended.value.result, InferenceResult)
    table = infer_table(frame, engine=start(), config=InferenceConfig(max_rows=30), **call)
    assert table["answer"].to_list() == [f"answer to row-{i}" for i in range(30)]
    assert asked(server) == 30


def test_repairs_count_and_go_before_new_rows(
    start: StartEngine, server: FaultServer, tmp_path: Path
):
    bad, good = {"content": "no JSON"}, {"content": '{"a": 1}'}
    server.plan(
        **RANDOM, faults=[{"kind": "answer", "message": bad, "mended": good, "times": None}]
    )
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    guided = GuidedDecodingParams(json=schema)
    generation = GenerationParams(max_new_tokens=MOST_TOKENS, guided_decoding=guided)
    config = settings(generation=generation, output_path=str(tmp_path / "out.jsonl"))
    with pytest.raises(BudgetError) as ended:
        start().infer(questions(200), config.model_copy(update={"max_total_tokens": 9_000}))
    stats = server.stats()
    assert 8_000 < stats["prompt_tokens"] + stats["completion_tokens"] <= 9_000
    done = len(ended.value.result.rows)
    assert stats["requests"] / 2 - 3 < done <= stats["requests"] / 2
    start().infer(questions(200), config)
    assert asked(server) == 400, "first answers that were not valid are not asked for again"


def test_answers_without_a_count_take_their_estimate(start: StartEngine, server: FaultServer):
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": "Yes."}}]})
    server.plan(faults=[{"kind": "raw", "body": body, "times": None}])
    with pytest.raises(BudgetError):
        start().infer(questions(50), settings(max_total_tokens=3_000))
    assert 5 <= asked(server) <= 3_000 // MOST_TOKENS


@pytest.mark.parametrize("given", [None, PriceParams(input_per_million=1, output_per_million=4)])
def test_a_cost_that_nobody_knows_cannot_be_limited(
    start: StartEngine, server: FaultServer, given: PriceParams | None
):
    engine, config = start("model-of-nobody"), settings(max_cost_usd=1.0, price=given)
    if given is None:
        with pytest.raises(ConfigError, match="no price is published for 'model-of-nobody'"):
            engine.infer(questions(3), config)
        assert asked(server) == 0
        return
    estimate = engine.estimate(questions(3), config)
    assert estimate.cost_usd is not None
    assert estimate.cost_usd.high == pytest.approx(
        (estimate.prompt_tokens.high + 4 * estimate.completion_tokens.high) / 1e6
    )
    assert len(engine.infer(questions(3), config)) == 3


def test_models_on_this_machine_cost_nothing_unless_said(engine: LlamaCppInferenceEngine):
    with pytest.raises(ConfigError, match="max_total_tokens instead"):
        engine.infer(sums(1), short(max_cost_usd=1.0))
    price = PriceParams(input_per_million=1e6, output_per_million=1e6)  # a dollar a token
    with pytest.raises(BudgetError, match=r"max_cost_usd = 200 is reached: \$\d+.0000 is spent"):
        engine.infer(sums(20), short(max_cost_usd=200, price=price))


def test_a_stream_keeps_to_it(start: StartEngine, server: FaultServer):
    engine = start()
    with pytest.raises(BudgetError, match="the next request may take"):
        list(engine.stream(ask("row-1"), settings(max_total_tokens=MOST_TOKENS)))
    assert asked(server) == 0
    pieces = list(engine.stream(ask("row-1"), settings(max_total_tokens=10 * MOST_TOKENS)))
    assert pieces[-1].completion is not None


def test_a_batch_job_refuses_what_it_cannot_keep(start: StartEngine, server: FaultServer):
    with pytest.raises(ConfigError, match="max_rows: a batch job is handed over as a whole"):
        start().infer_batch(questions(3), settings(max_rows=2))
    assert asked(server) == 0


def test_a_budget_is_no_part_of_a_run(start: StartEngine, server: FaultServer, tmp_path: Path):
    engine, rows, output = start(), questions(5), str(tmp_path / "out.jsonl")
    engine.infer(rows, settings(output_path=output))
    price = PriceParams(input_per_million=1, output_per_million=1)
    engine.infer(rows, settings(output_path=output, max_rows=1, max_total_tokens=1, price=price))
    assert asked(server) == 5


def test_a_row_has_all_its_samples(start: StartEngine, server: FaultServer, tmp_path: Path):
    generation = GenerationParams(max_new_tokens=9, temperature=1.0, num_samples=3)
    config = settings(generation=generation, output_path=str(tmp_path / "out.jsonl"))
    assert start().estimate(questions(5), config).left == 15
    with pytest.raises(BudgetError, match="max_rows = 2 is reached"):
        start().infer(questions(5), config.model_copy(update={"max_rows": 2}))
    assert server.answered() == {"row-0": 3, "row-1": 3}
