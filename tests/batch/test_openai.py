"""Batch jobs at an API that speaks OpenAI's files and batches, as real replies make them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import AccessError, ConfigError, InputError, UnavailableError
from oumi.inference import OpenAIInferenceEngine, TogetherInferenceEngine
from tests.batch.api import KEY, POLL, expected, finish, folders, kinds, make, rows, to
from tests.conftest import answers
from tests.fault_server import FaultServer


def test_a_batch_from_beginning_to_end(server: FaultServer, openai: OpenAIInferenceEngine):
    conversations = rows(5)
    batch_id = openai.infer_batch(conversations)
    assert batch_id == "batch_1", "the provider's own id"
    steps = [openai.get_batch_status(batch_id) for _ in range(3)]
    assert [info.status.value for info in steps] == ["in_progress", "finalizing", "completed"]
    assert [info.completion_percentage for info in steps] == [0, 0, 100]
    assert [info.has_errors for info in steps] == [False] * 3
    assert [info.provider_status for info in steps] == ["in_progress", "finalizing", "completed"]
    assert [info.is_terminal for info in steps] == [False, False, True]
    assert (steps[0].total_requests, steps[0].completed_requests) == (5, 0)
    assert (steps[2].completed_requests, steps[2].failed_requests, steps[2].parts) == (5, 0, 1)
    assert steps[2].completed_at < steps[2].expires_at
    results = openai.get_batch_results(batch_id, conversations)
    assert answers(results) == expected(range(5))
    assert [c.conversation_id for c in results] == [f"id-{i}" for i in range(5)]
    assert results[3].metadata["n"] == 3
    assert results[3].metadata["finish_reason"] == "stop"
    assert len(conversations[3].messages) == 1
    [line] = {json.dumps(json.loads(request)["messages"]) for request in [_first_body(server)]}
    assert json.loads(line) == [{"role": "user", "content": "row-0"}]


def _first_body(server: FaultServer) -> str:
    upload = next(seen for seen in server.stats()["last"] if seen["path"] == "/v1/files")
    lines = [line for line in upload["body"].splitlines() if line.startswith('{"custom_id"')]
    first = json.loads(lines[0])
    assert first["method"] == "POST"
    assert first["url"] == "/v1/chat/completions"
    return json.dumps(first["body"])


def test_what_is_sent_is_what_infer_sends(server: FaultServer, openai: OpenAIInferenceEngine):
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=7, temperature=0.5))
    openai.infer(rows(1), config)
    single = json.loads(server.stats()["last"][-1]["body"])
    openai.infer_batch(rows(1), config)
    assert json.loads(_first_body(server)) == single


def test_results_without_conversations_come_from_the_folder(openai: OpenAIInferenceEngine):
    batch_id = openai.infer_batch(rows(5))
    finish(openai, batch_id)
    results = openai.get_batch_results(batch_id)
    assert answers(results) == expected(range(5))
    assert [c.conversation_id for c in results] == [f"id-{i}" for i in range(5)]
    assert answers(openai.get_batch_results(batch_id)) == expected(range(5))


def test_collected_answers_stay_when_the_provider_forgets(
    server: FaultServer, openai: OpenAIInferenceEngine
):
    batch_id = openai.infer_batch(rows(3))
    finish(openai, batch_id)
    openai.get_batch_results(batch_id)
    server.plan()  # and with it all batches and files
    assert answers(openai.get_batch_results(batch_id, rows(3))) == expected(range(3))
    assert openai.get_batch_status(batch_id).status == BatchStatus.COMPLETED


def test_from_a_file_to_a_file(tmp_path: Path, openai: OpenAIInferenceEngine, write_jsonl):
    source = write_jsonl(rows(4))
    batch_id = openai.infer_batch(None, InferenceConfig(input_path=str(source)))
    finish(openai, batch_id)
    output = tmp_path / "answers.jsonl"
    result = openai.get_batch_results_partial(batch_id, None, to(output))
    assert answers(result.conversations) == expected(range(4))
    lines = [json.loads(line) for line in output.read_text().splitlines()]
    assert [line["conversation_id"] for line in lines] == [f"id-{i}" for i in range(4)]
    facts = json.loads(Path(f"{output}.run.json").read_text())
    assert (facts["rows"], facts["done"], facts["failed"]) == (4, 4, 0)


def test_an_output_that_is_not_of_this_job_is_kept(tmp_path: Path, openai, write_jsonl):
    batch_id = openai.infer_batch(rows(2))
    finish(openai, batch_id)
    output = tmp_path / "answers.jsonl"
    output.write_text("mine\n")
    with pytest.raises(Exception, match="overwrite"):
        openai.get_batch_results(batch_id, None, to(output))
    assert output.read_text() == "mine\n"


def test_cost_is_half_the_published_price(tmp_path: Path, openai: OpenAIInferenceEngine):
    config = to(tmp_path / "one_by_one.jsonl")
    openai.infer(rows(4), config)
    batch_id = openai.infer_batch(rows(4))
    finish(openai, batch_id)
    openai.get_batch_results(batch_id, None, to(tmp_path / "batch.jsonl"))
    whole, half = (
        json.loads((tmp_path / f"{name}.jsonl.run.json").read_text())["cost_usd"]
        for name in ("one_by_one", "batch")
    )
    assert half == pytest.approx(whole / 2)


def test_the_same_call_again_is_the_same_job(server, openai: OpenAIInferenceEngine, caplog):
    first = openai.infer_batch(rows(3))
    assert openai.infer_batch(rows(3)) == first
    assert "submitted before" in caplog.text
    finish(openai, first)
    assert openai.infer_batch(rows(3)) == first
    assert openai.infer_batch(rows(4)) != first, "other conversations"
    other = InferenceConfig(generation=GenerationParams(temperature=0.7))
    assert openai.infer_batch(rows(3), other) != first, "other settings"
    assert len(server.batches()["batches"]) == 3


def test_results_before_the_end(server: FaultServer, openai: OpenAIInferenceEngine):
    server.plan(batch={"hold": True})
    batch_id = openai.infer_batch(rows(3))
    with pytest.raises(UnavailableError, match="validating: 0 of 3 requests are done"):
        openai.get_batch_results(batch_id)
    partial = openai.get_batch_results_partial(batch_id)
    assert kinds(partial) == dict.fromkeys(range(3), "BatchPending")
    with pytest.raises(UnavailableError, match=r"has not ended within 0\.02 s"):
        openai.wait_for_batch(batch_id, timeout_s=0.02, **POLL)
    server.move_batch(id=batch_id, state="completed")
    assert answers(openai.get_batch_results(batch_id)) == expected(range(3))


def test_unknown_words_and_null_counts(server: FaultServer, openai, caplog):
    server.plan(batch={"states": ["queued_up", "in_progress", "completed"], "null_counts": True})
    batch_id = openai.infer_batch(rows(3))
    assert "queued_up" in caplog.text
    info = openai.get_batch_status(batch_id)
    assert (info.total_requests, info.completed_requests) == (3, 0)
    assert finish(openai, batch_id) == BatchStatus.COMPLETED
    assert openai.get_batch_status(batch_id).completed_requests == 3
    assert answers(openai.get_batch_results(batch_id)) == expected(range(3))


def test_other_conversations_are_refused(openai: OpenAIInferenceEngine):
    batch_id = openai.infer_batch(rows(3))
    finish(openai, batch_id)
    swapped = [rows(3)[i] for i in (1, 0, 2)]
    with pytest.raises(InputError, match="row 0 is not the conversation that was submitted"):
        openai.get_batch_results(batch_id, swapped)
    with pytest.raises(InputError, match="row 2 is not"):
        openai.get_batch_results(batch_id, rows(2))
    with pytest.raises(InputError, match="has 3 rows, and more are given"):
        openai.get_batch_results(batch_id, rows(4))
    renamed = [c.model_copy(update={"conversation_id": None}) for c in rows(3)]
    assert answers(openai.get_batch_results(batch_id, renamed)) == expected(range(3))


def test_wrong_calls(server: FaultServer, openai: OpenAIInferenceEngine):
    with pytest.raises(InputError, match="OPENAI knows no batch batch_77"):
        openai.get_batch_status("batch_77")
    with pytest.raises(InputError, match="knows no batch"):
        openai.get_batch_results_partial("batch_77")
    with pytest.raises(InputError, match="no conversations"):
        openai.infer_batch([])
    with pytest.raises(ConfigError, match="no conversations"):
        openai.infer_batch()
    server.plan(faults=[{"kind": "status", "code": 401, "times": None}])
    with pytest.raises(AccessError, match="Check the key"):
        openai.infer_batch(rows(1))


def test_a_job_of_another_server_is_not_asked_for(server: FaultServer, openai):
    batch_id = openai.infer_batch(rows(1))
    with (
        make(server, api_url=server.url.replace("127.0.0.1", "localhost")) as other,
        pytest.raises(ConfigError, match="was submitted to"),
    ):
        other.get_batch_status(batch_id)


def test_no_key_in_the_folder(server: FaultServer, openai: OpenAIInferenceEngine):
    batch_id = openai.infer_batch(rows(2))
    finish(openai, batch_id)
    openai.get_batch_results(batch_id)
    [folder] = folders()
    assert all(KEY.encode() not in path.read_bytes() for path in folder.iterdir())
    assert folder.stat().st_mode & 0o077 == 0
    assert not list(folder.glob("oumi-batch-*")), "requests are not kept once they are answered"


def test_list_has_the_newest_first_and_those_of_others(server: FaultServer, openai):
    server.plan(batch={"page": 2})
    first, second = openai.infer_batch(rows(2)), openai.infer_batch(rows(3))
    infos = openai.list_batches()
    assert [info.id for info in infos] == [second, first]
    assert [info.total_requests for info in infos] == [3, 2]
    assert [info.id for info in openai.list_batches(limit=1)] == [second]


def test_together_has_words_of_its_own(server: FaultServer):
    server.plan(batch={"form": "together", "rows": {"row-1": 400}})
    with make(server, TogetherInferenceEngine) as engine:
        batch_id = engine.infer_batch(rows(3))
        assert engine.get_batch_status(batch_id).provider_status == "IN_PROGRESS"
        info = engine.wait_for_batch(batch_id, **POLL)
        assert (info.status, info.completed_requests) == ("completed", 3)
        partial = engine.get_batch_results_partial(batch_id, rows(3))
        assert (partial.rows, list(partial.failures)) == ([0, 2], [1])
        info = engine.get_batch_status(batch_id)
        assert (info.completed_requests, info.failed_requests) == (2, 1)
        assert [listed.id for listed in engine.list_batches()] == [batch_id]


def test_async_twins(openai: OpenAIInferenceEngine):
    async def go() -> list[str]:
        batch_id = await openai.ainfer_batch(rows(2))
        assert (await openai.aget_batch_status(batch_id)).total_requests == 2
        assert (await openai.await_for_batch(batch_id, **POLL)).status == "completed"
        assert (await openai.aget_batch_results_partial(batch_id)).rows == range(2)
        assert [info.id for info in await openai.alist_batches()] == [batch_id]
        assert await openai.aresubmit_batch(batch_id) == batch_id
        assert (await openai.acancel_batch(batch_id)).status == "completed"
        return answers(await openai.aget_batch_results(batch_id, rows(2)))

    assert asyncio.run(go()) == expected(range(2))
