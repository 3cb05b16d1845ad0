"""Batch jobs at Mistral, and its official SDK beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from mistralai.client import Mistral
from mistralai.client.models import CreateBatchJobRequest

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import ConfigError, InputError
from oumi.inference import MistralInferenceEngine
from tests.batch.api import KEY, expected, folders, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

POLL = {"poll_interval_s": 0.005}


@pytest.fixture
def mistral(server: FaultServer) -> Iterator[MistralInferenceEngine]:
    plan(server)
    with make(server, MistralInferenceEngine) as engine:
        yield engine


@pytest.fixture
def sdk(server: FaultServer) -> Iterator[Mistral]:
    with Mistral(server_url=server.url, api_key="of-the-sdk") as client:
        yield client


def plan(server: FaultServer, **batch: object) -> None:
    server.plan(batch={"form": "mistral", **batch})


def finish(engine: MistralInferenceEngine, batch_id: str) -> BatchStatus:
    return engine.wait_for_batch(batch_id, **POLL).status


def kinds(result: object) -> dict[int, str]:
    return {row: failure.error_class for row, failure in result.failures.items()}


def seen(server: FaultServer, path: str) -> list[dict]:
    return [s for s in server.stats()["last"] if (s["method"], s["path"]) == ("POST", path)]


def test_a_job_from_beginning_to_end(server: FaultServer, mistral: MistralInferenceEngine):
    batch_id = mistral.infer_batch(rows(5))
    steps = [mistral.get_batch_status(batch_id) for _ in range(3)]
    assert [info.status for info in steps] == ["in_progress", "in_progress", "completed"]
    assert [info.provider_status for info in steps] == ["RUNNING", "RUNNING", "SUCCESS"]
    assert (steps[0].total_requests, steps[0].completed_requests) == (5, 0)
    assert (steps[2].completed_requests, steps[2].failed_requests) == (5, 0)
    assert steps[2].completed_at is not None
    results = mistral.get_batch_results(batch_id, rows(5))
    assert answers(results) == expected(range(5)), "they came in the reverse order"
    [folder] = folders()
    assert all(KEY.encode() not in path.read_bytes() for path in folder.iterdir())


def test_what_is_sent(server: FaultServer, mistral: MistralInferenceEngine):
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=7, seed=3))
    mistral.infer(rows(1), config)
    single = json.loads(server.stats()["last"][-1]["body"])
    assert single.pop("model") == "gpt-4"
    mistral.infer_batch(rows(2), config)
    [upload] = seen(server, "/v1/files")
    lines = [json.loads(line) for line in upload["body"].splitlines() if line[:1] == "{"]
    assert [sorted(line) for line in lines] == [["body", "custom_id"]] * 2
    assert lines[0]["body"] == single, "what infer sends; the model is named by the job"
    [job] = seen(server, "/v1/batch/jobs")
    asked = json.loads(job["body"])
    parsed = CreateBatchJobRequest.model_validate(asked).model_dump(exclude_none=True)
    assert asked == parsed, "the SDK knows every field"
    assert (asked["model"], asked["endpoint"]) == ("gpt-4", "/v1/chat/completions")
    assert (asked["timeout_hours"], len(asked["input_files"])) == (24, 1)


@pytest.mark.parametrize(("window", "hours"), [("48h", 48), ("7d", 168)])
def test_windows_are_whole_hours(server: FaultServer, window: str, hours: int):
    plan(server)
    with make(server, MistralInferenceEngine, batch_completion_window=window) as engine:
        engine.infer_batch(rows(1))
    assert json.loads(seen(server, "/v1/batch/jobs")[0]["body"])["timeout_hours"] == hours


def test_a_window_of_minutes_is_refused(server: FaultServer):
    plan(server)
    with (
        make(server, MistralInferenceEngine, batch_completion_window="90m") as engine,
        pytest.raises(ConfigError, match="'90m', and MISTRAL takes whole hours"),
    ):
        engine.infer_batch(rows(1))
    assert not server.batches()["batches"]


def test_rows_that_fail_are_told_apart_and_sent_again(server: FaultServer, mistral):
    plan(server, rows={"row-1": 400, "row-3": 500, "row-4": "the model timed out"})
    batch_id = mistral.infer_batch(rows(5))
    assert finish(mistral, batch_id) == BatchStatus.COMPLETED
    result = mistral.get_batch_results_partial(batch_id, rows(5))
    assert (result.rows, answers(result.conversations)) == ([0, 2], expected(iter([0, 2])))
    assert kinds(result) == {1: "ContextLengthError", 3: "UnavailableError", 4: "UnavailableError"}
    assert result.failures[4].error_message == "the model timed out"
    info = mistral.get_batch_status(batch_id)
    assert (info.completed_requests, info.failed_requests) == (2, 3)
    server.move_batch(plan={"rows": {}})
    again = mistral.resubmit_batch(batch_id)
    finish(mistral, again)
    assert answers(mistral.get_batch_results(again, rows(5))) == expected(range(5))
    once, twice = dict.fromkeys(("row-0", "row-2"), 1), dict.fromkeys(("row-1", "row-3"), 2)
    assert server.batches()["rows"] == {**once, **twice, "row-4": 2}


@pytest.mark.parametrize(
    ("state", "word", "status"),
    [
        ("expired", "TIMEOUT_EXCEEDED", BatchStatus.EXPIRED),
        ("failed", "FAILED", BatchStatus.FAILED),
        ("cancelled", "CANCELLED", BatchStatus.CANCELLED),
    ],
)
def test_how_else_a_job_ends(server: FaultServer, mistral, state, word, status):
    plan(server, states=["validating", "in_progress", state], done=2, names_undone=False)
    batch_id = mistral.infer_batch(rows(4))
    info = mistral.wait_for_batch(batch_id, **POLL)
    assert (info.status, info.provider_status) == (status, word)
    partial = mistral.get_batch_results_partial(batch_id, rows(4))
    done = 0 if status == BatchStatus.FAILED else 2
    assert partial.rows == list(range(done))
    assert set(kinds(partial).values()) == {f"Batch{status.title()}"}


def test_cancel(server: FaultServer, mistral: MistralInferenceEngine):
    plan(server, done=1)
    batch_id = mistral.infer_batch(rows(3))
    info = mistral.cancel_batch(batch_id)
    assert (info.status, info.provider_status) == ("cancelling", "CANCELLATION_REQUESTED")
    assert finish(mistral, batch_id) == BatchStatus.CANCELLED
    assert mistral.get_batch_results_partial(batch_id, rows(3)).rows == [0]
    assert mistral.cancel_batch(batch_id).status == BatchStatus.CANCELLED
    with pytest.raises(InputError, match="MISTRAL knows no batch nope"):
        mistral.cancel_batch("nope")


@pytest.mark.parametrize(
    ("lose", "uploads"), [({"POST batches": 1}, 1), ({"POST files": 1, "POST batches": 2}, 2)]
)
def test_replies_that_get_lost_start_no_second_job(server: FaultServer, mistral, lose, uploads):
    plan(server, lose=lose, page=1)
    other = mistral.infer_batch(rows(1, first=7))
    batch_id = mistral.infer_batch(rows(3))
    assert batch_id != other
    finish(mistral, batch_id)
    assert answers(mistral.get_batch_results(batch_id, rows(3))) == expected(range(3))
    told = server.batches()
    assert len(told["batches"]) == 2
    assert told["counts"]["POST files"] == uploads + 1


def test_no_room_is_waited_for(server: FaultServer, mistral: MistralInferenceEngine):
    plan(server, room=1, refuse="429", hold=True)
    mistral.infer_batch(rows(1))
    info = mistral.get_batch_status(mistral.infer_batch(rows(2)))
    assert (info.status, info.provider_status) == ("validating", "queued")
    assert len(server.batches()["batches"]) == 1


def test_jobs_are_listed_page_by_page(server: FaultServer, mistral: MistralInferenceEngine):
    plan(server, page=2)
    ids = [mistral.infer_batch(rows(i)) for i in (1, 2, 3)]
    assert [info.id for info in mistral.list_batches()] == ids[::-1]
    assert [info.id for info in mistral.list_batches(limit=1)] == ids[-1:]


def test_the_sdk_reads_a_job_of_ours(server: FaultServer, sdk: Mistral, mistral):
    batch_id = mistral.infer_batch(rows(2))
    finish(mistral, batch_id)
    job = sdk.batch.jobs.get(job_id=batch_id)
    assert (job.status, job.succeeded_requests, job.model) == ("SUCCESS", 2, "gpt-4")
    assert [listed.id for listed in sdk.batch.jobs.list().data] == [batch_id]
    lines = sdk.files.download(file_id=job.output_file).read().splitlines()
    bodies = [json.loads(line)["response"]["body"] for line in lines]
    said = [body["choices"][0]["message"]["content"] for body in bodies]
    assert sorted(said) == expected(range(2))


def test_a_job_of_the_sdk_is_read_and_resubmitted_here(server: FaultServer, sdk, mistral):
    plan(server, rows={"row-1": 500})
    asked = [
        {"custom_id": f"t{i}", "body": {"messages": [{"role": "user", "content": f"row-{i}"}]}}
        for i in range(3)
    ]
    data = "".join(json.dumps(line) + "\n" for line in asked).encode()
    file = {"file_name": "tasks.jsonl", "content": data}
    uploaded = sdk.files.upload(file=file, purpose="batch").id
    job = sdk.batch.jobs.create(
        input_files=[uploaded], model="mistral-small-latest", endpoint="/v1/chat/completions"
    )
    finish(mistral, job.id)
    partial = mistral.get_batch_results_partial(job.id)
    assert (partial.rows, kinds(partial)) == ([0, 2], {1: "UnavailableError"})
    assert [c.conversation_id for c in partial.conversations] == ["t0", "t2"]
    server.move_batch(plan={"rows": {}})
    again = mistral.resubmit_batch(job.id)
    finish(mistral, again)
    assert answers(mistral.get_batch_results(again)) == expected(range(3))
    made = json.loads(seen(server, "/v1/batch/jobs")[-1]["body"])
    assert made["model"] == "mistral-small-latest", "that of the job"
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1}
