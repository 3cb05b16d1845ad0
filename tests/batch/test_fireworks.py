"""Batch jobs at Fireworks: datasets, and jobs that read and write them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.batch.api.providers.fireworks_replies import id_of, read_job, read_request
from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import ConfigError, InputError
from oumi.inference import FireworksInferenceEngine
from tests.batch.api import KEY, expected, folders, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

ROOT = Path(__file__).parents[2]
POLL = {"poll_interval_s": 0.005}
JOBS = "/v1/accounts/acme/batchInferenceJobs"


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FIREWORKS_ACCOUNT_ID", raising=False)


@pytest.fixture
def fireworks(server: FaultServer) -> Iterator[FireworksInferenceEngine]:
    with at(server) as engine:
        yield engine


def at(server: FaultServer, **remote: object) -> FireworksInferenceEngine:
    """An engine whose base is as long as Fireworks' own."""
    url = f"{server.url}/inference/v1"
    return make(server, FireworksInferenceEngine, api_url=url, **remote)


def finish(engine: FireworksInferenceEngine, batch_id: str) -> BatchStatus:
    return engine.wait_for_batch(batch_id, **POLL).status


def kinds(result: object) -> dict[int, str]:
    return {row: failure.error_class for row, failure in result.failures.items()}


def seen(server: FaultServer, path: str, method: str = "POST") -> list[dict]:
    last = [s for s in server.stats()["last"] if s["method"] == method]
    return [s for s in last if s["path"].partition("?")[0] == path]


def test_a_job_from_beginning_to_end(server: FaultServer, fireworks: FireworksInferenceEngine):
    batch_id = fireworks.infer_batch(rows(5))
    steps = [fireworks.get_batch_status(batch_id) for _ in range(3)]
    assert [info.status for info in steps] == ["validating", "in_progress", "completed"]
    assert steps[1].provider_status == "JOB_STATE_RUNNING"
    assert (steps[0].total_requests, steps[0].completed_requests) == (5, 0)
    assert (steps[2].completed_requests, steps[2].failed_requests) == (5, 0)
    assert steps[2].completed_at < steps[2].expires_at
    results = fireworks.get_batch_results(batch_id, rows(5))
    assert answers(results) == expected(range(5)), "they came in the reverse order"
    assert results[3].metadata["usage"]["completion_tokens"] == 5
    assert server.batches()["counts"]["signed"] == 2, "answers and errors, without the key"
    [folder] = folders()
    assert all(KEY.encode() not in path.read_bytes() for path in folder.iterdir())


def test_what_is_sent(server: FaultServer, fireworks: FireworksInferenceEngine):
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=7, top_k=4))
    fireworks.infer(rows(1), config)
    single = json.loads(server.stats()["last"][-1]["body"])
    assert single.pop("model") == "gpt-4"
    batch_id = fireworks.infer_batch(rows(3), config)
    [dataset] = seen(server, "/v1/accounts/acme/datasets")
    asked = json.loads(dataset["body"])
    assert (asked["datasetId"], asked["dataset"]["exampleCount"]) == (batch_id, "3")
    [upload] = seen(server, f"/v1/accounts/acme/datasets/{batch_id}:upload")
    lines = [json.loads(line) for line in upload["body"].splitlines() if line[:1] == "{"]
    assert [sorted(line) for line in lines] == [["body", "custom_id"]] * 3
    assert lines[0]["body"] == single, "what infer sends; the model is named by the job"
    [job] = seen(server, JOBS)
    assert job["path"] == f"{JOBS}?batchInferenceJobId={batch_id}"
    assert json.loads(job["body"]) == {
        "displayName": batch_id,
        "model": "gpt-4",
        "inputDatasetId": f"accounts/acme/datasets/{batch_id}",
        "outputDatasetId": f"accounts/acme/datasets/{batch_id}-out",
    }


def test_the_account_is_the_one_that_is_named(server: FaultServer, monkeypatch):
    server.plan(batch={"accounts": ["acme", "other"]})
    with (
        at(server) as engine,
        pytest.raises(ConfigError, match="FIREWORKS_ACCOUNT_ID; this key opens: acme, other"),
    ):
        engine.infer_batch(rows(1))
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "other")
    with at(server) as engine:
        engine.infer_batch(rows(1))
    assert len(seen(server, "/v1/accounts/other/batchInferenceJobs")) == 1


def test_a_server_without_accounts_is_named(server: FaultServer):
    with (
        make(server, FireworksInferenceEngine, api_url=f"{server.url}/elsewhere/") as engine,
        pytest.raises(ConfigError, match=r"no accounts at http://\S+/elsewhere\. Check"),
    ):
        engine.get_batch_status("any")


def test_another_window_is_refused(server: FaultServer):
    with (
        at(server, batch_completion_window="7d") as engine,
        pytest.raises(ConfigError, match="'7d', and FIREWORKS takes 24h"),
    ):
        engine.infer_batch(rows(1))
    assert not server.batches()["batches"]


def test_rows_that_fail_are_told_apart_and_sent_again(server: FaultServer, fireworks):
    server.plan(batch={"rows": {"row-1": 400, "row-3": {"message": "no answer"}}})
    batch_id = fireworks.infer_batch(rows(4))
    assert finish(fireworks, batch_id) == BatchStatus.COMPLETED
    result = fireworks.get_batch_results_partial(batch_id, rows(4))
    assert (result.rows, answers(result.conversations)) == ([0, 2], expected(iter([0, 2])))
    assert kinds(result) == {1: "ContextLengthError", 3: "UnavailableError"}
    assert "maximum context length" in result.failures[1].error_message
    server.move_batch(plan={"rows": {}})
    again = fireworks.resubmit_batch(batch_id)
    finish(fireworks, again)
    assert answers(fireworks.get_batch_results(again, rows(4))) == expected(range(4))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1, "row-3": 2}


@pytest.mark.parametrize("word", ["EXPIRED", "EARLY_STOPPED"])
def test_expired_with_half_done(server: FaultServer, fireworks, word: str):
    states = ["JOB_STATE_VALIDATING", f"JOB_STATE_{word}"]
    server.plan(batch={"states": states, "done": 2})
    batch_id = fireworks.infer_batch(rows(4))
    assert finish(fireworks, batch_id) == BatchStatus.EXPIRED
    partial = fireworks.get_batch_results_partial(batch_id, rows(4))
    assert (partial.rows, kinds(partial)) == ([0, 1], {2: "BatchExpired", 3: "BatchExpired"})


def test_a_job_that_failed_says_why(server: FaultServer, fireworks: FireworksInferenceEngine):
    server.plan(batch={"states": ["JOB_STATE_VALIDATING", "JOB_STATE_FAILED"]})
    batch_id = fireworks.infer_batch(rows(2))
    info = fireworks.wait_for_batch(batch_id, **POLL)
    assert (info.status, info.errors) == ("failed", ("Dataset has a syntax error",))
    partial = fireworks.get_batch_results_partial(batch_id)
    assert kinds(partial) == dict.fromkeys(range(2), "BatchFailed")


def test_cancel_deletes_the_job(server: FaultServer, fireworks: FireworksInferenceEngine):
    server.plan(batch={"hold": True})
    batch_id = fireworks.infer_batch(rows(3))
    info = fireworks.cancel_batch(batch_id)
    assert (info.status, info.provider_status) == ("cancelled", "deleted")
    assert not server.batches()["batches"]
    assert fireworks.get_batch_status(batch_id).status == BatchStatus.CANCELLED
    partial = fireworks.get_batch_results_partial(batch_id, rows(3))
    assert kinds(partial) == dict.fromkeys(range(3), "BatchCancelled")
    server.move_batch(plan={"hold": False})
    again = fireworks.infer_batch(rows(3))  # the same call submits it anew
    finish(fireworks, again)
    assert answers(fireworks.get_batch_results(again, rows(3))) == expected(range(3))


def test_a_job_that_has_ended_is_not_deleted(server: FaultServer, fireworks):
    batch_id = fireworks.infer_batch(rows(2))
    finish(fireworks, batch_id)
    [folder] = folders()
    folder.rename(folder.with_name("elsewhere.gone"))
    (folder.with_name("elsewhere.gone") / "intent.json").unlink()
    assert fireworks.cancel_batch(batch_id).status == BatchStatus.COMPLETED
    assert len(server.batches()["batches"]) == 1
    with pytest.raises(InputError, match="FIREWORKS knows no batch nope"):
        fireworks.cancel_batch("nope")


@pytest.mark.parametrize(
    "lose",
    [
        {"POST datasets": 1},
        {"POST datasets:upload": 1},
        {"POST batchInferenceJobs": 1},
        {"POST batchInferenceJobs": 2, "GET batchInferenceJobs": 1},
    ],
)
def test_replies_that_get_lost_start_no_second_job(server: FaultServer, fireworks, lose: dict):
    server.plan(batch={"lose": lose})
    batch_id = fireworks.infer_batch(rows(3))
    finish(fireworks, batch_id)
    assert answers(fireworks.get_batch_results(batch_id, rows(3))) == expected(range(3))
    told = server.batches()
    assert (len(told["batches"]), set(told["rows"].values())) == (1, {1})
    assert list(told["datasets"]) == [batch_id, f"{batch_id}-out"]


SUBMIT = """
import sys
from oumi.core.configs import ModelParams, RemoteParams
from oumi.inference import FireworksInferenceEngine
from tests.batch.api import rows

url = sys.argv[1] + "/inference/v1"
remote = RemoteParams(api_url=url, api_key="k", retry_backoff_base=60.0)
FireworksInferenceEngine(ModelParams(model_name="gpt-4"), remote_params=remote).infer_batch(rows(3))
"""


def test_a_kill_while_a_job_is_started_starts_no_second_one(server: FaultServer, fireworks):
    server.plan(batch={"lose": {"POST batchInferenceJobs": 1}})
    with subprocess.Popen([sys.executable, "-c", SUBMIT, server.url], cwd=ROOT) as process:
        server.wait_until(lambda _: server.batches()["batches"], timeout_s=60)
        process.kill()
    batch_id = fireworks.infer_batch(rows(3))
    finish(fireworks, batch_id)
    assert answers(fireworks.get_batch_results(batch_id, rows(3))) == expected(range(3))
    assert len(server.batches()["batches"]) == 1


def test_output_that_lags_behind_is_waited_for(server: FaultServer, fireworks, caplog):
    server.plan(batch={"content_lag": 2})
    batch_id = fireworks.infer_batch(rows(3))
    finish(fireworks, batch_id)
    assert answers(fireworks.get_batch_results(batch_id, rows(3))) == expected(range(3))
    assert "asking again" in caplog.text


def test_no_room_is_waited_for(server: FaultServer, fireworks: FireworksInferenceEngine):
    server.plan(batch={"room": 1, "hold": True})
    fireworks.infer_batch(rows(1))
    info = fireworks.get_batch_status(fireworks.infer_batch(rows(2)))
    assert (info.status, info.provider_status) == ("validating", "queued")
    assert len(server.batches()["batches"]) == 1


def test_jobs_are_listed_page_by_page(server: FaultServer, fireworks: FireworksInferenceEngine):
    server.plan(batch={"page": 2})
    ids = [fireworks.infer_batch(rows(i)) for i in (1, 2, 3)]
    assert [info.id for info in fireworks.list_batches()] == ids[::-1]
    assert [info.id for info in fireworks.list_batches(limit=1)] == ids[-1:]


def test_a_job_of_ours_is_read_where_its_folder_is_not(server: FaultServer, fireworks):
    server.plan(batch={"rows": {"row-1": 500}})
    batch_id = fireworks.infer_batch(rows(3))
    finish(fireworks, batch_id)
    [folder] = folders()
    folder.rename(folder.with_name("elsewhere.gone"))
    (folder.with_name("elsewhere.gone") / "intent.json").unlink()
    with at(server) as other:
        assert other.get_batch_results_partial(batch_id).rows == [0, 2]
        server.move_batch(plan={"rows": {}})
        again = other.resubmit_batch(batch_id)
        finish(other, again)
        assert answers(other.get_batch_results(again)) == expected(range(3))
    told = server.batches()
    assert told["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1}
    assert len(told["datasets"]) == 4
    assert max(map(len, told["datasets"])) <= 63, "no longer than an id may be"


def test_what_a_job_sets_for_all_rows_is_part_of_each():
    line = json.dumps({"custom_id": "a", "body": {"messages": [], "top_p": 0.5}}).encode()
    job = {
        "model": "m",
        "systemPrompt": "Be brief.",
        "inferenceParameters": {"maxTokens": 9, "topP": 0.9, "extraBody": '{"stop": ["x"]}'},
    }
    assert read_request(line, job).body == {
        "model": "m",
        "messages": [{"role": "system", "content": "Be brief."}],
        "max_tokens": 9,
        "top_p": 0.5,
        "stop": ["x"],
    }


def test_words_that_are_not_known_are_said(caplog):
    batch = read_job({"name": "accounts/a/batchInferenceJobs/b", "state": "ODD"}, "FIREWORKS")
    assert (batch.info.id, batch.info.status) == ("b", BatchStatus.IN_PROGRESS)
    assert "'ODD'" in caplog.text


def test_ids_are_no_longer_than_they_may_be():
    assert id_of("oumi-batch-1") == "oumi-batch-1"
    assert id_of("x" * 60) != id_of("y" * 60)
    assert len(id_of("x" * 90)) == len("oumi-batch-") + 32
