"""Batch jobs at Gemini, and its official SDK beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from google import genai
from google.genai import types

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import ConfigError, InputError, UnsupportedError
from oumi.inference import GoogleGeminiInferenceEngine
from tests.batch.api import KEY, expected, finish, folders, kinds, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer


@pytest.fixture
def gemini(server: FaultServer) -> Iterator[GoogleGeminiInferenceEngine]:
    with at(server) as engine:
        yield engine


@pytest.fixture
def sdk(server: FaultServer) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=server.url, api_version="v1beta")
    with genai.Client(api_key="of-the-sdk", http_options=options) as client:
        yield client


def at(server: FaultServer, **remote: object):
    url = f"{server.url}/v1beta/openai"
    return make(server, GoogleGeminiInferenceEngine, api_url=url, **remote)


def seen(server: FaultServer, end: str) -> list[dict]:
    last = server.stats()["last"]
    return [s for s in last if s["method"] == "POST" and s["path"].endswith(end)]


def test_a_job_from_beginning_to_end(server: FaultServer, gemini):
    batch_id = gemini.infer_batch(rows(5))
    steps = [gemini.get_batch_status(batch_id) for _ in range(2)]
    assert [info.status for info in steps] == ["in_progress", "completed"]
    assert steps[1].provider_status == "BATCH_STATE_SUCCEEDED"
    assert (steps[1].completed_requests, steps[1].failed_requests) == (5, 0)
    assert steps[1].completed_at is not None
    results = gemini.get_batch_results(batch_id, rows(5))
    assert answers(results) == expected(range(5)), "they came in the reverse order"
    assert results[3].metadata["usage"]["completion_tokens"] == 5
    assert results[3].metadata["finish_reason"] == "stop"
    [folder] = folders()
    assert all(KEY.encode() not in path.read_bytes() for path in folder.iterdir())


def test_the_sdk_sends_the_same(server: FaultServer, gemini, sdk: genai.Client, tmp_path):
    batch_id = gemini.infer_batch(rows(1))
    [start] = seen(server, "/upload/v1beta/files")
    [upload] = seen(server, "/upload-session/0")
    [order] = seen(server, ":batchGenerateContent")
    assert not {"authorization", "x-goog-api-key"} & set(upload["headers"]), "it opens by itself"
    tag = json.loads(start["body"])["file"]["display_name"]
    assert order["path"] == "/v1beta/models/gpt-4:batchGenerateContent"
    file = tmp_path / "requests.jsonl"
    file.write_text(upload["body"])
    config = types.UploadFileConfig(display_name=tag, mime_type="application/jsonl")
    named = sdk.files.upload(file=file, config=config).name
    sdk.batches.create(model="gpt-4", src=named, config={"display_name": tag})
    theirs = seen(server, ":batchGenerateContent")[1]
    assert theirs["path"] == order["path"]
    ours, batch = json.loads(order["body"])["batch"], json.loads(theirs["body"])["batch"]
    assert ours["inputConfig"].keys() == batch["inputConfig"].keys()
    assert ours | {"inputConfig": batch["inputConfig"]} == batch
    [again] = seen(server, "/upload-session/1")
    assert again["body"] == upload["body"]
    assert sdk.batches.get(name=f"batches/{batch_id}").display_name == tag


def test_the_sdk_reads_a_job_of_ours(server: FaultServer, gemini, sdk: genai.Client):
    batch_id = gemini.infer_batch(rows(2))
    finish(gemini, batch_id)
    job = sdk.batches.get(name=f"batches/{batch_id}")
    assert job.state == types.JobState.JOB_STATE_SUCCEEDED
    assert [listed.name for listed in sdk.batches.list()] == [job.name]
    lines = sdk.files.download(file=job.dest.file_name).splitlines()
    said = [
        types.GenerateContentResponse.model_validate(json.loads(line)["response"]).text
        for line in lines
    ]
    assert sorted(said) == expected(range(2))


def test_a_job_of_another_program_can_only_be_looked_at(
    server: FaultServer, gemini, sdk: genai.Client, tmp_path
):
    file = tmp_path / "theirs.jsonl"
    request = {"contents": [{"role": "user", "parts": [{"text": "row-0"}]}]}
    file.write_text(json.dumps({"key": "a", "request": request}) + "\n")
    named = sdk.files.upload(
        file=file, config=types.UploadFileConfig(mime_type="application/jsonl")
    ).name
    job = sdk.batches.create(model="gemini-2.5-flash", src=named)
    batch_id = job.name.removeprefix("batches/")
    assert finish(gemini, batch_id) == BatchStatus.COMPLETED
    with pytest.raises(UnsupportedError, match="does not tell what was asked"):
        gemini.get_batch_results(batch_id)


def test_another_window_is_refused(server: FaultServer):
    with (
        at(server, batch_completion_window="7d") as engine,
        pytest.raises(ConfigError, match="'7d', and GOOGLE_GEMINI takes 24h"),
    ):
        engine.infer_batch(rows(1))
    assert not server.batches()["batches"]


def test_rows_that_fail_are_told_apart_and_sent_again(server: FaultServer, gemini):
    refused = {"code": 3, "message": "Too long", "status": "INVALID_ARGUMENT"}
    server.plan(batch={"rows": {"row-1": refused, "row-3": {"code": 13, "message": "Internal"}}})
    batch_id = gemini.infer_batch(rows(4))
    assert finish(gemini, batch_id) == BatchStatus.COMPLETED
    result = gemini.get_batch_results_partial(batch_id, rows(4))
    assert (result.rows, kinds(result)) == ([0, 2], {1: "RequestError", 3: "UnavailableError"})
    assert "Too long" in result.failures[1].error_message
    server.move_batch(plan={"rows": {}})
    again = gemini.resubmit_batch(batch_id)
    finish(gemini, again)
    assert answers(gemini.get_batch_results(again, rows(4))) == expected(range(4))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1, "row-3": 2}


@pytest.mark.parametrize(
    ("word", "status"), [("EXPIRED", BatchStatus.EXPIRED), ("FAILED", BatchStatus.FAILED)]
)
def test_how_else_a_job_ends(server: FaultServer, gemini, word: str, status: BatchStatus):
    server.plan(batch={"states": ["BATCH_STATE_PENDING", f"BATCH_STATE_{word}"]})
    batch_id = gemini.infer_batch(rows(2))
    info = gemini.wait_for_batch(batch_id, poll_interval_s=0.005)
    assert info.status == status
    assert info.errors == (("The file has a syntax error",) if word == "FAILED" else ())
    partial = gemini.get_batch_results_partial(batch_id, rows(2))
    assert kinds(partial) == dict.fromkeys(range(2), f"Batch{word.title()}")


def test_cancel(server: FaultServer, gemini):
    server.plan(batch={"hold": True})
    batch_id = gemini.infer_batch(rows(2))
    gemini.cancel_batch(batch_id)
    server.move_batch(id=batch_id, state="BATCH_STATE_CANCELLED")
    assert gemini.get_batch_status(batch_id).status == BatchStatus.CANCELLED
    assert gemini.cancel_batch(batch_id).status == BatchStatus.CANCELLED
    with pytest.raises(InputError, match="GOOGLE_GEMINI knows no batch nope"):
        gemini.cancel_batch("nope")


@pytest.mark.parametrize(
    "lose",
    [
        {"POST files": 1},
        {"POST session": 1},
        {"POST models:batchGenerateContent": 1},
        {"POST models:batchGenerateContent": 2, "GET batches": 1},
    ],
)
def test_replies_that_get_lost_start_no_second_batch(server: FaultServer, gemini, lose: dict):
    server.plan(batch={"lose": lose, "page": 1})
    other = gemini.infer_batch(rows(1, first=7))
    batch_id = gemini.infer_batch(rows(3))
    assert batch_id != other
    finish(gemini, batch_id)
    assert answers(gemini.get_batch_results(batch_id, rows(3))) == expected(range(3))
    told = server.batches()
    assert (len(told["batches"]), set(told["rows"].values())) == (2, {1})


def test_no_room_is_waited_for(server: FaultServer, gemini):
    server.plan(batch={"room": 1, "hold": True})
    gemini.infer_batch(rows(1))
    info = gemini.get_batch_status(gemini.infer_batch(rows(2)))
    assert (info.status, info.provider_status) == ("validating", "queued")


def test_output_that_lags_behind_is_waited_for(server: FaultServer, gemini):
    server.plan(batch={"content_lag": 2})
    batch_id = gemini.infer_batch(rows(3))
    finish(gemini, batch_id)
    assert answers(gemini.get_batch_results(batch_id, rows(3))) == expected(range(3))


def test_settings_reach_the_line(server: FaultServer, gemini):
    generation = GenerationParams(max_new_tokens=7, temperature=0.5, stop_strings=["x"])
    gemini.infer_batch(rows(1), InferenceConfig(generation=generation))
    [upload] = seen(server, "/upload-session/0")
    request = json.loads(upload["body"])["request"]
    assert request["generationConfig"] == {
        "maxOutputTokens": 7,
        "temperature": 0.5,
        "stopSequences": ["x"],
    }
