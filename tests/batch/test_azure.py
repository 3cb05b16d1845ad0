"""Batch jobs at Azure OpenAI, by both forms of its address, and the official SDK beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from openai import AzureOpenAI, OpenAI

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import ConfigError
from oumi.inference import AzureOpenAIInferenceEngine
from tests.batch.api import KEY, expected, finish, kinds, make, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

VERSION = "2024-10-21"
ADDRESSES = {
    "/openai/v1": ("/openai/v1", "/v1/chat/completions"),
    f"?api-version={VERSION}": ("/openai", "/chat/completions"),
}
"""By the end of an address, what files and batches are below, and the path of a request."""


@pytest.fixture
def azure(server: FaultServer) -> Iterator[AzureOpenAIInferenceEngine]:
    plan(server)
    with at(server) as engine:
        yield engine


def at(server: FaultServer, end: str = "/openai/v1", **remote: object):
    return make(server, AzureOpenAIInferenceEngine, api_url=f"{server.url}{end}", **remote)


def plan(server: FaultServer, **batch: object) -> None:
    server.plan(batch={"form": "azure", "metadata": False, **batch})


def seen(server: FaultServer, path: str) -> list[dict]:
    last = [s for s in server.stats()["last"] if s["method"] == "POST"]
    return [s for s in last if s["path"].partition("?")[0] == path]


@pytest.mark.parametrize("end", list(ADDRESSES))
def test_a_job_from_beginning_to_end(server: FaultServer, end: str):
    plan(server, checks=2)
    base, path = ADDRESSES[end]
    with at(server, end) as engine:
        batch_id = engine.infer_batch(rows(4))
        steps = [engine.get_batch_status(batch_id) for _ in range(3)]
        assert [info.status for info in steps] == ["in_progress", "finalizing", "completed"]
        assert steps[2].completed_at <= steps[2].expires_at
        results = engine.get_batch_results(batch_id, rows(4))
    assert answers(results) == expected(range(4))
    assert results[0].metadata["usage"]["completion_tokens"] == 5
    [upload] = seen(server, f"{base}/files")
    lines = [json.loads(line) for line in upload["body"].splitlines() if line[:1] == "{"]
    assert {line["url"] for line in lines} == {path}
    [order] = seen(server, f"{base}/batches")
    assert json.loads(order["body"])["endpoint"] == path
    headers = {name.lower(): value for name, value in order["headers"].items()}
    assert headers["api-key"] == KEY
    assert ("api-version" in order["path"]) == (end != "/openai/v1")


def test_what_is_sent_is_what_infer_sends(server: FaultServer, azure):
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=7, seed=3))
    azure.infer(rows(1), config)
    single = json.loads(server.stats()["last"][-1]["body"])
    azure.infer_batch(rows(1), config)
    [upload] = seen(server, "/openai/v1/files")
    line = next(line for line in upload["body"].splitlines() if line[:1] == "{")
    assert json.loads(line)["body"] == single
    assert single["model"] == "gpt-4", "the name of the deployment, in each line"


def test_another_window_is_refused(server: FaultServer):
    plan(server)
    with (
        at(server, batch_completion_window="48h") as engine,
        pytest.raises(ConfigError, match="'48h', and AZURE takes 24h"),
    ):
        engine.infer_batch(rows(1))
    assert not server.batches()["batches"]


def test_rows_that_fail_are_told_apart(server: FaultServer, azure):
    plan(server, rows={"row-1": 400, "row-2": 500})
    batch_id = azure.infer_batch(rows(3))
    assert finish(azure, batch_id) == BatchStatus.COMPLETED
    assert kinds(azure.get_batch_results_partial(batch_id, rows(3))) == {
        1: "ContextLengthError",
        2: "UnavailableError",
    }


@pytest.mark.parametrize("lose", [{"POST batches": 1}, {"POST files": 1, "POST batches": 2}])
def test_replies_that_get_lost_start_no_second_batch(server: FaultServer, azure, lose):
    plan(server, lose=lose)
    batch_id = azure.infer_batch(rows(3))
    finish(azure, batch_id)
    assert answers(azure.get_batch_results(batch_id, rows(3))) == expected(range(3))
    assert len(server.batches()["batches"]) == 1, "found by the name of its file"
    assert set(server.batches()["rows"].values()) == {1}


def test_no_room_is_waited_for(server: FaultServer, azure):
    plan(server, room=1, refuse="429", hold=True)
    azure.infer_batch(rows(1))
    info = azure.get_batch_status(azure.infer_batch(rows(2)))
    assert (info.status, info.provider_status) == ("validating", "queued")


def test_the_sdk_reads_a_job_of_ours(server: FaultServer, azure):
    batch_id = azure.infer_batch(rows(2))
    finish(azure, batch_id)
    with OpenAI(base_url=f"{server.url}/openai/v1", api_key="of-the-sdk") as sdk:
        batch = sdk.batches.retrieve(batch_id)
        lines = sdk.files.content(batch.output_file_id).text.splitlines()
        assert [listed.id for listed in sdk.batches.list().data] == [batch_id]
    bodies = [json.loads(line)["response"]["body"] for line in lines]
    said = [body["choices"][0]["message"]["content"] for body in bodies]
    assert sorted(said) == expected(range(2))


def test_a_job_of_the_sdk_is_read_and_resubmitted_here(server: FaultServer):
    plan(server, rows={"row-1": 500})
    end, path = f"?api-version={VERSION}", "/chat/completions"
    asked = [
        {
            "custom_id": f"t{i}",
            "method": "POST",
            "url": path,
            "body": {"model": "mine", "messages": [{"role": "user", "content": f"row-{i}"}]},
        }
        for i in range(3)
    ]
    data = "".join(json.dumps(line) + "\n" for line in asked).encode()
    with AzureOpenAI(azure_endpoint=server.url, api_key="k", api_version=VERSION) as sdk:
        file = sdk.files.create(file=("tasks.jsonl", data), purpose="batch")
        batch = sdk.batches.create(input_file_id=file.id, endpoint=path, completion_window="24h")
    with at(server, end) as engine:
        finish(engine, batch.id)
        partial = engine.get_batch_results_partial(batch.id)
        assert (partial.rows, kinds(partial)) == ([0, 2], {1: "UnavailableError"})
        server.move_batch(plan={"rows": {}})
        again = engine.resubmit_batch(batch.id)
        finish(engine, again)
        assert answers(engine.get_batch_results(again)) == expected(range(3))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1}
