"""Batches of Fireworks' official SDK read here, and ours read by it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fireworks import Fireworks

from oumi.inference import FireworksInferenceEngine
from tests.batch.api import expected, rows
from tests.batch.test_fireworks import JOBS, at, finish, kinds, seen
from tests.conftest import answers
from tests.fault_server import FaultServer


@pytest.fixture
def sdk(server: FaultServer) -> Iterator[Fireworks]:
    with Fireworks(base_url=server.url, api_key="of-the-sdk", account_id="acme") as client:
        yield client


@pytest.fixture
def fireworks(server: FaultServer, monkeypatch) -> Iterator[FireworksInferenceEngine]:
    monkeypatch.setenv("FIREWORKS_ACCOUNT_ID", "acme")
    with at(server) as engine:
        yield engine


def test_the_sdk_reads_a_job_of_ours(server: FaultServer, sdk: Fireworks, fireworks):
    batch_id = fireworks.infer_batch(rows(3))
    finish(fireworks, batch_id)
    job = sdk.batch_inference_jobs.get(batch_id)
    assert (job.state, job.job_progress.successfully_processed_requests) == (
        "JOB_STATE_COMPLETED",
        3,
    )
    assert [listed.name for listed in sdk.batch_inference_jobs.list()] == [job.name]
    output = job.output_dataset_id.rpartition("/")[2]
    files = sdk.datasets.get_download_endpoint(output).filename_to_signed_urls
    assert sorted(name.rpartition("/")[2] for name in files) == ["BIJOutputSet.jsonl", "error-data"]


def test_a_job_of_the_sdk_is_read_and_resubmitted_here(server: FaultServer, sdk, fireworks):
    server.plan(batch={"rows": {"row-1": 500}})
    lines = [
        {"custom_id": f"t{i}", "body": {"messages": [{"role": "user", "content": f"row-{i}"}]}}
        for i in range(3)
    ]
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    sdk.datasets.create(dataset_id="theirs", dataset={"user_uploaded": {}, "example_count": "3"})
    sdk.datasets.upload("theirs", file=("theirs.jsonl", data))
    sdk.batch_inference_jobs.create(
        batch_inference_job_id="their-job",
        model="accounts/fireworks/models/their-model",
        input_dataset_id="accounts/acme/datasets/theirs",
        output_dataset_id="accounts/acme/datasets/their-output",
        inference_parameters={"max_tokens": 9},
    )
    finish(fireworks, "their-job")
    partial = fireworks.get_batch_results_partial("their-job")
    assert (partial.rows, kinds(partial)) == ([0, 2], {1: "UnavailableError"})
    assert [c.conversation_id for c in partial.conversations] == ["t0", "t2"]
    server.move_batch(plan={"rows": {}})
    again = fireworks.resubmit_batch("their-job")
    finish(fireworks, again)
    assert answers(fireworks.get_batch_results(again)) == expected(range(3))
    [upload] = [
        s
        for s in server.stats()["last"]
        if "datasets/their-job-2-" in s["path"] and s["method"] == "POST"
    ]
    [line] = [json.loads(line) for line in upload["body"].splitlines() if line[:1] == "{"]
    assert line["body"] == {**lines[1]["body"], "max_tokens": 9}, "with what the job set for all"
    made = seen(server, JOBS)[-1]
    assert json.loads(made["body"])["model"] == "accounts/fireworks/models/their-model"
