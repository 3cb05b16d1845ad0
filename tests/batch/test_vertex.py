"""Batch jobs at Vertex AI, whose files lie in Cloud Storage, and Google's SDK beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types
from google.oauth2.credentials import Credentials

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import BatchStatus
from oumi.errors import ConfigError, UnsupportedError
from oumi.inference import GoogleVertexInferenceEngine
from tests.batch.api import expected, finish, kinds, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

PLACE = "projects/mine/locations/europe-west4"
JOBS = f"/v1/{PLACE}/batchPredictionJobs"
MODEL = "google/gemini-2.5-flash"


@pytest.fixture
def google(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """The server as Google's: Vertex AI and Cloud Storage."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server.url)
    return server


@pytest.fixture
def vertex(google: FaultServer) -> Iterator[GoogleVertexInferenceEngine]:
    with at(google) as engine:
        yield engine


def at(server: FaultServer, model: str = MODEL, **remote: Any) -> GoogleVertexInferenceEngine:
    settings = {
        "api_url": f"{server.url}/v1/{PLACE}/endpoints/openapi",
        "api_key": "a-token-of-googles",
        "batch_storage": "gs://my-bucket/some/folder",
        "retry_backoff_base": 0.01,
        **remote,
    }
    remote_params = RemoteParams(**settings)
    return GoogleVertexInferenceEngine(ModelParams(model_name=model), remote_params=remote_params)


def seen(server: FaultServer, start: str) -> list[dict]:
    last = server.stats()["last"]
    return [s for s in last if s["method"] == "POST" and s["path"].startswith(start)]


def test_a_job_from_beginning_to_end(google: FaultServer, vertex):
    batch_id = vertex.infer_batch(rows(5))
    steps = [vertex.get_batch_status(batch_id) for _ in range(2)]
    assert [info.status for info in steps] == ["in_progress", "completed"]
    assert steps[1].provider_status == "JOB_STATE_SUCCEEDED"
    assert (steps[1].completed_requests, steps[1].failed_requests) == (5, 0)
    results = vertex.get_batch_results(batch_id, rows(5))
    assert answers(results) == expected(range(5)), "they came in the reverse order"
    assert results[3].metadata["usage"]["completion_tokens"] == 5
    assert google.stats()["authorizations"] == ["Bearer a-token-of-googles"]
    files = google.batches()["buckets"]
    assert all(name.startswith("gs://my-bucket/some/folder/oumi-batch-") for name in files)


def test_the_sdk_sends_the_same(google: FaultServer, vertex):
    batch_id = vertex.infer_batch(rows(2))
    [upload] = seen(google, "/upload/storage")
    for line in map(json.loads, upload["body"].splitlines()):
        [label] = line["request"]["labels"].values()
        assert len(label) <= 63
        types.Content.model_validate(line["request"]["contents"][0])
    [order] = seen(google, JOBS)
    asked = json.loads(order["body"])
    with sdk(google) as client:
        [source] = asked["inputConfig"]["gcsSource"]["uris"]
        config = types.CreateBatchJobConfig(
            display_name=asked["displayName"],
            dest=asked["outputConfig"]["gcsDestination"]["outputUriPrefix"],
        )
        client.batches.create(model=asked["model"], src=source, config=config)
        job = client.batches.get(name=batch_id)
        assert job.display_name == asked["displayName"]
    theirs = seen(google, JOBS)[1]
    assert (json.loads(theirs["body"]), theirs["path"]) == (asked, order["path"])


def sdk(server: FaultServer) -> genai.Client:
    options = types.HttpOptions(base_url=server.url, api_version="v1")
    return genai.Client(
        vertexai=True,
        project="mine",
        location="europe-west4",
        credentials=Credentials("a-token"),
        http_options=options,
    )


def test_rows_that_fail_are_told_apart_and_sent_again(google: FaultServer, vertex):
    google.plan(batch={"rows": {"row-1": 400, "row-3": 503}})
    batch_id = vertex.infer_batch(rows(4))
    finish(vertex, batch_id)
    result = vertex.get_batch_results_partial(batch_id, rows(4))
    assert (result.rows, kinds(result)) == ([0, 2], {1: "RequestError", 3: "UnavailableError"})
    assert "Too long" in result.failures[1].error_message
    google.move_batch(plan={"rows": {}})
    again = vertex.resubmit_batch(batch_id)
    finish(vertex, again)
    assert answers(vertex.get_batch_results(again, rows(4))) == expected(range(4))


def test_a_job_that_failed_says_why(google: FaultServer, vertex):
    google.plan(batch={"states": ["JOB_STATE_PENDING", "JOB_STATE_FAILED"]})
    batch_id = vertex.infer_batch(rows(2))
    info = vertex.wait_for_batch(batch_id, poll_interval_s=0.005)
    assert (info.status, info.errors) == (BatchStatus.FAILED, ("The input has no rows",))


def test_cancel(google: FaultServer, vertex):
    google.plan(batch={"hold": True})
    batch_id = vertex.infer_batch(rows(2))
    vertex.cancel_batch(batch_id)
    google.move_batch(id=batch_id, state="JOB_STATE_CANCELLED", done=1)
    assert vertex.get_batch_status(batch_id).status == BatchStatus.CANCELLED
    partial = vertex.get_batch_results_partial(batch_id, rows(2))
    assert (partial.rows, kinds(partial)) == ([0], {1: "BatchCancelled"})


@pytest.mark.parametrize("lose", [{"POST jobs": 1}, {"POST jobs": 2, "GET jobs": 1}])
def test_replies_that_get_lost_start_no_second_job(google: FaultServer, vertex, lose: dict):
    google.plan(batch={"lose": lose, "page": 1})
    other = vertex.infer_batch(rows(1, first=7))
    batch_id = vertex.infer_batch(rows(3))
    assert batch_id != other
    finish(vertex, batch_id)
    assert answers(vertex.get_batch_results(batch_id, rows(3))) == expected(range(3))
    told = google.batches()
    assert (len(told["batches"]), set(told["rows"].values())) == (2, {1})


def test_no_room_is_waited_for(google: FaultServer, vertex):
    google.plan(batch={"room": 1, "hold": True})
    vertex.infer_batch(rows(1))
    info = vertex.get_batch_status(vertex.infer_batch(rows(2)))
    assert (info.status, info.provider_status) == ("validating", "queued")


def test_what_is_refused(google: FaultServer):
    with (
        at(google, "meta/llama-3.3-70b-instruct-maas") as engine,
        pytest.raises(UnsupportedError, match="whose names begin with google/"),
    ):
        engine.infer_batch(rows(1))
    with (
        at(google, batch_completion_window="7d") as engine,
        pytest.raises(ConfigError, match="'7d', and GOOGLE_VERTEX takes 24h"),
    ):
        engine.infer_batch(rows(1))
    with (
        at(google, batch_storage="s3://my-bucket") as engine,
        pytest.raises(ConfigError, match="GOOGLE_VERTEX takes gs://bucket/folder"),
    ):
        engine.infer_batch(rows(1, first=5))
    assert not google.batches()["batches"]


def test_a_run_by_the_switch(google: FaultServer):
    with at(google, batch_poll_s=0.01) as engine:
        assert answers(engine.infer(rows(3), InferenceConfig(batch=True))) == expected(range(3))
    assert set(google.batches()["rows"].values()) == {1}


def test_auto_asks_one_by_one_without_a_bucket(google: FaultServer):
    said: list[str] = []

    def listen(event: Any) -> None:
        said.append(getattr(event, "text", ""))

    with at(google, batch_storage=None) as engine:
        results = engine.infer(rows(2), InferenceConfig(batch="auto"), on_event=listen)
    assert answers(results) == expected(range(2))
    assert "a batch needs remote_params.batch_storage" in " ".join(said)
