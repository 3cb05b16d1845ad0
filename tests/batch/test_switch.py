"""`batch: true` and `batch: auto`: a run whose rows a batch job answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import InferenceError, UnavailableError, UnsupportedError
from oumi.inference import (
    AnthropicInferenceEngine,
    OpenAIInferenceEngine,
    RemoteInferenceEngine,
)
from tests.batch.api import ThreeAtOnce, expected, finish, folders, kinds, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

POLL = {"batch_poll_s": 0.01}


@pytest.fixture
def openai(server: FaultServer):
    with make(server, **POLL) as engine:
        yield engine


def switch(batch: bool | str = True, **settings: Any) -> InferenceConfig:
    return InferenceConfig(batch=batch, **settings)


def facts(output: Path) -> dict[str, Any]:
    return json.loads(Path(f"{output}.run.json").read_text())


def chat_requests(server: FaultServer) -> int:
    return sum(ok for row, ok in server.answered().items() if row.startswith("row-"))


def test_the_output_is_that_of_a_run_without_it(
    server: FaultServer, openai: OpenAIInferenceEngine, write_jsonl, tmp_path: Path
):
    source = str(write_jsonl(rows(5)))
    one_by_one, batch = tmp_path / "one_by_one.jsonl", tmp_path / "batch.jsonl"
    openai.infer(None, InferenceConfig(input_path=source, output_path=str(one_by_one)))
    assert chat_requests(server) == 5
    openai.infer(None, switch(input_path=source, output_path=str(batch)))
    assert chat_requests(server) == 5, "no further one"
    assert batch.read_bytes() == one_by_one.read_bytes()
    assert set(server.batches()["rows"].values()) == {1}
    assert facts(batch)["cost_usd"] == pytest.approx(facts(one_by_one)["cost_usd"] / 2)
    assert facts(batch)["usage"] == facts(one_by_one)["usage"]
    assert facts(batch)["last_session"]["answered"] == 5


def test_a_list_in_memory(server: FaultServer, openai: OpenAIInferenceEngine):
    given = rows(4)
    results = openai.infer(given, switch())
    assert answers(results) == expected(range(4))
    assert [c.metadata["n"] for c in results] == list(range(4))
    assert answers(openai.infer(given, switch())) == expected(range(4))
    assert server.batches()["rows"] == {f"row-{i}": 1 for i in range(4)}, "the same job"


def test_a_table_with_a_schema(server: FaultServer, openai, tmp_path: Path):
    server.plan(message={"content": '{"n": 7}'})
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    output = tmp_path / "out.parquet"
    (tmp_path / "in.csv").write_text("text\nrow-0\nrow-1\n")
    guided = GenerationParams(guided_decoding=GuidedDecodingParams(json=schema))
    paths = {"input_path": str(tmp_path / "in.csv"), "output_path": str(output)}
    openai.infer(None, switch(generation=guided, prompt="{{ text }}", **paths))
    table = pq.read_table(output).to_pylist()
    assert [row["n"] for row in table] == [7, 7]
    assert sum(row["cost_usd"] for row in table) == pytest.approx(facts(output)["cost_usd"])
    assert chat_requests(server) == 0


def test_what_is_answered_already_is_not_submitted(
    server: FaultServer, openai, write_jsonl, tmp_path: Path
):
    source, output = str(write_jsonl(rows(4))), tmp_path / "out.jsonl"
    refused = {f"row-{i}": [{"kind": "status", "code": 400, "times": 1}] for i in (1, 3)}
    server.plan(scripts=refused)
    paths = {"input_path": source, "output_path": str(output)}
    assert openai.infer_partial(None, InferenceConfig(**paths)).rows == [0, 2]
    assert answers(openai.infer(None, switch(**paths))) == expected(range(4))
    assert server.batches()["rows"] == {"row-1": 1, "row-3": 1}
    mixed, whole = facts(output), tmp_path / "whole.jsonl"
    assert (mixed["done"], mixed["last_session"]["answered_before"]) == (4, 2)
    openai.infer(None, InferenceConfig(input_path=source, output_path=str(whole)))
    paid = facts(whole)["cost_usd"]
    assert mixed["cost_usd"] == pytest.approx(0.75 * paid), "two of four rows at half the price"


def test_lines_that_failed_are_failures_and_asked_again_by_the_next_run(
    server: FaultServer, openai, write_jsonl, tmp_path: Path
):
    server.plan(batch={"rows": {"row-1": 400, "row-2": 500}})
    output = tmp_path / "out.jsonl"
    config = switch(input_path=str(write_jsonl(rows(4))), output_path=str(output))
    with pytest.raises(InferenceError) as caught:
        openai.infer(None, config)
    assert kinds(caught.value.result) == {1: "ContextLengthError", 2: "UnavailableError"}
    failed = Path(f"{output}.failures.jsonl").read_text().splitlines()
    assert [json.loads(line)["row"] for line in failed] == [1, 2]
    server.move_batch(plan={"rows": {}})
    assert answers(openai.infer(None, config)) == expected(range(4))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 2, "row-3": 1}
    assert not Path(f"{output}.failures.jsonl").exists()


def test_rows_that_cannot_be_read_fail_as_usual(server: FaultServer, openai, tmp_path: Path):
    source = tmp_path / "in.jsonl"
    source.write_text(rows(1)[0].to_json() + "\nnot JSON\n")
    config = switch(input_path=str(source), bad_rows="fail", output_path=str(tmp_path / "out"))
    result = openai.infer_partial(None, config)
    assert (result.rows, kinds(result)) == ([0], {1: "InputError"})


def test_answers_of_several_parts_are_taken_as_these_end(
    server: FaultServer, write_jsonl, tmp_path: Path
):
    server.plan(batch={"hold": True})
    output = tmp_path / "out.jsonl"
    config = switch(input_path=str(write_jsonl(rows(5))), output_path=str(output))
    seen: list[str] = []

    def listen(event: Any) -> None:
        text = getattr(event, "text", None)
        if text is None:
            return
        seen.append(text)
        if "0 of 5 answered" in text:
            server.move_batch(id="batch_1", state="completed")
        elif "3 of 5 answered" in text:
            journal = Path(f"{output}.journal").read_bytes()
            assert journal.count(b'"completion":') == 3
            server.move_batch(id="batch_2", state="completed")

    with make(server, ThreeAtOnce, **POLL) as engine:
        results = engine.infer(None, config, on_event=listen)
    assert answers(results) == expected(range(5))
    assert [text.partition(": ")[2] for text in seen] == [
        "validating, 0 of 5 answered",
        "in_progress, 3 of 5 answered",
        "completed, 5 of 5 answered",
    ]


def test_an_answer_without_the_structure_asked_for_has_failed(server: FaultServer, openai):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    guided = GenerationParams(guided_decoding=GuidedDecodingParams(json=schema))
    result = openai.infer_partial(rows(2), switch(generation=guided))
    assert kinds(result) == dict.fromkeys(range(2), "StructuredOutputError")


def test_a_job_that_expires_leaves_failures(server: FaultServer, openai):
    states = ["validating", "in_progress", "expired"]
    server.plan(batch={"states": states, "done": 1})
    result = openai.infer_partial(rows(3), switch())
    assert (result.rows, kinds(result)) == ([0], {1: "BatchExpired", 2: "BatchExpired"})
    server.move_batch(plan={"states": ["completed"], "done": None})
    assert answers(openai.infer(rows(3), switch())) == expected(range(3))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 2}


def test_a_job_of_infer_batch_is_found(server: FaultServer, openai):
    batch_id = openai.infer_batch(rows(3))
    assert answers(openai.infer(rows(3), switch())) == expected(range(3))
    assert openai.get_batch_status(batch_id).status == BatchStatus.COMPLETED
    assert len(server.batches()["batches"]) == 1


def test_output_that_lags_behind_is_waited_for(server: FaultServer, openai):
    server.plan(batch={"content_lag": 4})
    assert answers(openai.infer(rows(3), switch())) == expected(range(3))


def test_rows_whose_answers_may_follow_are_not_sent_again(server: FaultServer, openai):
    server.plan(batch={"content_lag": 1000})
    batch_id = openai.infer_batch(rows(3))
    finish(openai, batch_id)

    def listen(event: Any) -> None:
        if "completed" in getattr(event, "text", ""):
            server.move_batch(plan={"content_lag": 0})

    assert answers(openai.infer(rows(3), switch(), on_event=listen)) == expected(range(3))
    assert len(server.batches()["batches"]) == 1


def test_a_batch_that_may_have_been_started_is_waited_for(server: FaultServer):
    """Anthropic's batches bear no names: only their results tell whose they are."""
    server.plan(batch={"lose": {"POST batches": 1}, "hold": True})

    def listen(event: Any) -> None:
        if "may be the batch that was begun" in getattr(event, "text", ""):
            server.move_batch(id="msgbatch_1", state="ended")

    with make(server, AnthropicInferenceEngine, api_url=server.url, **POLL) as engine:
        results = engine.infer(rows(3), switch(), on_event=listen)
    assert answers(results) == expected(range(3))
    assert server.batches()["rows"] == {f"row-{i}": 1 for i in range(3)}


def test_a_server_that_is_away_when_the_job_is_submitted_ends_the_run(server: FaultServer):
    with (
        make(server, api_url="http://127.0.0.1:9/v1", max_retries=0, **POLL) as engine,
        pytest.raises(UnavailableError),
    ):
        engine.infer(rows(1), switch())


def test_without_a_batch_api_it_is_an_error(engine, server: FaultServer):
    with pytest.raises(UnsupportedError, match=r"LLAMACPP has no batch API.*OPENAI"):
        engine.infer(rows(1), switch())
    server.plan(batch={"offered": False})
    with (
        make(server, RemoteInferenceEngine) as remote,
        pytest.raises(UnsupportedError, match="the server has no batch API"),
    ):
        remote.infer(rows(1), switch())
    assert chat_requests(server) == 0


def test_one_answer_is_no_batch(openai: OpenAIInferenceEngine):
    with pytest.raises(UnsupportedError, match="leave `batch` out"):
        next(openai.stream(rows(1)[0], switch()))
    with pytest.raises(UnsupportedError, match="leave `batch` out"):
        openai.complete(rows(1)[0], switch())


def test_auto_takes_what_costs_less(server: FaultServer, openai):
    assert answers(openai.infer(rows(3), switch("auto"))) == expected(range(3))
    assert (chat_requests(server), set(server.batches()["rows"].values())) == (0, {1})


@pytest.mark.parametrize(
    ("kind", "said"), [(RemoteInferenceEngine, "no price of gpt-4 is known"), (None, None)]
)
def test_auto_asks_one_by_one_where_that_is_not_known(
    server: FaultServer, engine, kind: type | None, said: str | None
):
    if kind is None:
        short = GenerationParams(max_new_tokens=4)
        engine.infer(rows(1), switch("auto", generation=short))
        return
    seen: list[Any] = []
    with make(server, kind) as remote:
        assert answers(remote.infer(rows(2), switch("auto"), on_event=seen.append)) == expected(
            range(2)
        )
    assert said in " ".join(getattr(event, "text", "") for event in seen)
    assert (chat_requests(server), server.batches()["batches"]) == (2, [])


def test_auto_waits_no_longer_than_the_window(server: FaultServer, write_jsonl, tmp_path: Path):
    server.plan(batch={"hold": True})
    output = tmp_path / "out.jsonl"
    config = switch("auto", input_path=str(write_jsonl(rows(4))), output_path=str(output))

    def listen(event: Any) -> None:
        if "cancelling" in getattr(event, "text", ""):
            server.move_batch(id="batch_1", state="cancelled", done=1)

    with make(server, batch_completion_window="0.1s", **POLL) as engine:
        results = engine.infer(None, config, on_event=listen)
    assert answers(results) == expected(range(4))
    assert {row: ok for row, ok in server.answered().items() if row[:4] == "row-"} == {
        f"row-{i}": 1 for i in (1, 2, 3)
    }, "the batch has answered the first"
    [order] = [s for s in server.stats()["last"] if s["path"] == "/v1/batches" and s["body"]]
    assert json.loads(order["body"])["completion_window"] == "24h", "what OpenAI takes"


def test_auto_asks_what_failed_one_by_one(server: FaultServer, openai):
    server.plan(batch={"rows": {"row-1": 500}})
    assert answers(openai.infer(rows(3), switch("auto"))) == expected(range(3))
    assert server.answered().get("row-1") == 1
    assert chat_requests(server) == 1


def test_a_job_remembers_what_the_run_was_told(server: FaultServer, openai):
    openai.infer(rows(2), switch())
    [folder] = folders()
    settings = json.loads((folder / "intent.json").read_text())["settings"]
    assert "batch" not in settings
