"""Batch jobs at Bedrock, whose files lie in S3, held against botocore's model of both services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.validate import ParamValidator

from oumi.backends.remote.http.call import Call, Reply
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import BatchStatus, Conversation, Message, Role
from oumi.errors import ConfigError, EngineError, InputError, UnsupportedError
from oumi.inference import BedrockInferenceEngine
from tests.batch.api import expected, finish, folders, kinds, make, rows
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

ROLE = "arn:aws:iam::123456789012:role/batches"
STORAGE = {"batch_storage": "s3://my-bucket/some/folder", "batch_role": ROLE}


@pytest.fixture
def aws(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> FaultServer:
    """The server as AWS: Bedrock and S3, opened by a key."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"{server.url}/s3")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFTHEBATCHES")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-batches")
    return server


@pytest.fixture
def bedrock(aws: FaultServer) -> Iterator[BedrockInferenceEngine]:
    with at(aws) as engine:
        yield engine


def at(server: FaultServer, **remote: Any):
    settings = {"api_url": server.url, "api_key": None, **STORAGE, **remote}
    return make(server, BedrockInferenceEngine, **settings)


def client(server: FaultServer, service: str, path: str = "") -> Any:
    return botocore.session.Session().create_client(
        service,
        region_name="eu-central-1",
        endpoint_url=f"{server.url}{path}",
        config=Config(s3={"addressing_style": "path"}),
    )


def seen(server: FaultServer, method: str, start: str) -> list[dict]:
    last = server.stats()["last"]
    return [s for s in last if s["method"] == method and s["path"].startswith(start)]


def test_a_job_from_beginning_to_end(aws: FaultServer, bedrock):
    batch_id = bedrock.infer_batch(rows(5))
    info = bedrock.get_batch_status(batch_id)
    assert (info.status, info.provider_status) == ("completed", "Completed")
    assert (info.completed_requests, info.failed_requests) == (5, 0)
    assert info.completed_at <= info.expires_at
    results = bedrock.get_batch_results(batch_id, rows(5))
    assert answers(results) == expected(range(5)), "they came in the reverse order"
    assert results[3].metadata["usage"]["completion_tokens"] == 5
    [folder] = folders()
    assert all(b"secret-of" not in path.read_bytes() for path in folder.iterdir())
    folder = f"s3://my-bucket/some/folder/{folder.name}-1-1-"
    assert all(name.startswith(folder) for name in aws.batches()["buckets"])


def test_the_sdk_sends_the_same(aws: FaultServer, bedrock):
    batch_id = bedrock.infer_batch(rows(2))
    [upload] = seen(aws, "PUT", "/s3/")
    [order] = seen(aws, "POST", "/model-invocation-job")
    asked = json.loads(order["body"])
    service = botocore.session.Session().get_service_model("bedrock")
    shape = service.operation_model("CreateModelInvocationJob").input_shape
    assert not ParamValidator().validate(asked, shape).has_errors()
    assert not asked.keys() - shape.members.keys(), "botocore knows every field"
    runtime = botocore.session.Session().get_service_model("bedrock-runtime")
    body = runtime.operation_model("Converse").input_shape
    for line in map(json.loads, upload["body"].splitlines()):
        request = {**line["modelInput"], "modelId": "m"}
        assert not ParamValidator().validate(request, body).has_errors()
    key = upload["path"].removeprefix("/s3/my-bucket/")
    content = upload["body"].encode()
    client(aws, "s3", "/s3").put_object(Bucket="my-bucket", Key=key, Body=content)
    theirs = client(aws, "bedrock").create_model_invocation_job(**asked)
    assert theirs["jobArn"].endswith(batch_id), "the token is known"
    again = seen(aws, "POST", "/model-invocation-job")[1]
    assert json.loads(again["body"]) == asked
    assert again["path"] == order["path"]
    assert seen(aws, "PUT", "/s3/")[1]["path"].partition("?")[0] == upload["path"]


def test_the_sdk_reads_a_job_of_ours(aws: FaultServer, bedrock):
    batch_id = bedrock.infer_batch(rows(2))
    finish(bedrock, batch_id)
    job = client(aws, "bedrock").get_model_invocation_job(jobIdentifier=batch_id)
    assert (job["status"], job["modelInvocationType"]) == ("Completed", "Converse")
    listed = client(aws, "bedrock").list_model_invocation_jobs()["invocationJobSummaries"]
    assert [summary["jobArn"] for summary in listed] == [job["jobArn"]]
    prefix = job["outputDataConfig"]["s3OutputDataConfig"]["s3Uri"]
    store = client(aws, "s3", "/s3")
    found = store.list_objects_v2(Bucket="my-bucket", Prefix=prefix.split("/", 3)[3])
    assert len(found["Contents"]) == 2


def test_settings_reach_the_line(aws: FaultServer, bedrock):
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=7, temperature=0.5))
    bedrock.infer(rows(1), config)
    single = json.loads(aws.stats()["last"][-1]["body"])
    bedrock.infer_batch(rows(1), config)
    [upload] = seen(aws, "PUT", "/s3/")
    assert json.loads(upload["body"])["modelInput"] == single, "what infer sends"


def test_a_row_with_tools_fails_alone(aws: FaultServer, bedrock):
    tool = {
        "type": "function",
        "function": {"name": "f", "parameters": {"type": "object", "properties": {}}},
    }
    asks = Conversation(messages=[Message(role=Role.USER, content="row-1")], tools=[tool])
    batch_id = bedrock.infer_batch([ask("row-0"), asks])
    finish(bedrock, batch_id)
    result = bedrock.get_batch_results_partial(batch_id)
    assert (result.rows, kinds(result)) == ([0], {1: "UnsupportedError"})
    assert "takes no tools" in result.failures[1].error_message


def test_rows_that_fail_are_told_apart_and_sent_again(aws: FaultServer, bedrock):
    aws.plan(batch={"rows": {"row-1": 400, "row-3": 500}})
    batch_id = bedrock.infer_batch(rows(4))
    finish(bedrock, batch_id)
    result = bedrock.get_batch_results_partial(batch_id, rows(4))
    assert (result.rows, kinds(result)) == ([0, 2], {1: "RequestError", 3: "UnavailableError"})
    aws.move_batch(plan={"rows": {}})
    again = bedrock.resubmit_batch(batch_id)
    finish(bedrock, again)
    assert answers(bedrock.get_batch_results(again, rows(4))) == expected(range(4))


@pytest.mark.parametrize(
    ("state", "status", "kind"),
    [
        ("PartiallyCompleted", BatchStatus.EXPIRED, "BatchExpired"),
        ("Failed", BatchStatus.FAILED, "BatchFailed"),
    ],
)
def test_how_else_a_job_ends(aws: FaultServer, bedrock, state, status, kind):
    aws.plan(batch={"states": ["Submitted", state], "done": 1})
    batch_id = bedrock.infer_batch(rows(2))
    info = bedrock.wait_for_batch(batch_id, poll_interval_s=0.005)
    assert info.status == status
    assert info.errors == (("Less than 100 records",) if state == "Failed" else ())
    failures = kinds(bedrock.get_batch_results_partial(batch_id, rows(2)))
    assert failures[1] == kind


def test_cancel(aws: FaultServer, bedrock):
    aws.plan(batch={"hold": True})
    batch_id = bedrock.infer_batch(rows(2))
    assert bedrock.cancel_batch(batch_id).status == BatchStatus.CANCELLING
    aws.move_batch(id=batch_id, state="Stopped", done=1)
    assert bedrock.get_batch_status(batch_id).status == BatchStatus.CANCELLED
    assert bedrock.get_batch_results_partial(batch_id, rows(2)).rows == [0]
    assert bedrock.cancel_batch(batch_id).status == BatchStatus.CANCELLED
    with pytest.raises(InputError, match="BEDROCK knows no batch nope"):
        bedrock.cancel_batch("nope")


@pytest.mark.parametrize(
    "lose", [{"POST job": 1}, {"POST job": 2, "GET jobs": 1}, {"GET job": 1, "POST job": 1}]
)
def test_replies_that_get_lost_start_no_second_job(aws: FaultServer, bedrock, lose: dict):
    aws.plan(batch={"lose": lose, "page": 1})
    other = bedrock.infer_batch(rows(1, first=7))
    batch_id = bedrock.infer_batch(rows(3))
    assert batch_id != other
    finish(bedrock, batch_id)
    assert answers(bedrock.get_batch_results(batch_id, rows(3))) == expected(range(3))
    told = aws.batches()
    assert (len(told["batches"]), set(told["rows"].values())) == (2, {1})


def test_no_room_is_waited_for(aws: FaultServer, bedrock):
    aws.plan(batch={"room": 1, "hold": True})
    bedrock.infer_batch(rows(1))
    info = bedrock.get_batch_status(bedrock.infer_batch(rows(2)))
    assert (info.status, info.provider_status) == ("validating", "queued")


@pytest.mark.parametrize("window", ["12h", "8d"])
def test_a_window_that_is_not_taken(aws: FaultServer, window: str):
    with (
        at(aws, batch_completion_window=window) as engine,
        pytest.raises(ConfigError, match="BEDROCK takes 24h to 168h"),
    ):
        engine.infer_batch(rows(1))
    assert not aws.batches()["batches"]


def test_a_bucket_of_another_service(aws: FaultServer):
    with (
        at(aws, batch_storage="gs://my-bucket") as engine,
        pytest.raises(ConfigError, match="BEDROCK takes s3://bucket/folder"),
    ):
        engine.infer_batch(rows(1))


def test_the_switch_needs_a_bucket(aws: FaultServer):
    with (
        at(aws, batch_storage=None) as engine,
        pytest.raises(ConfigError, match=r"set remote_params\.batch_storage, which a batch needs"),
    ):
        engine.infer(rows(1), InferenceConfig(batch=True))
    with pytest.raises(ValueError, match="expected s3://bucket/folder"):
        at(aws, batch_storage="s3://user:secret@bucket/folder")


def test_a_run_by_the_switch(aws: FaultServer):
    with at(aws, batch_poll_s=0.01) as engine:
        assert answers(engine.infer(rows(3), InferenceConfig(batch=True))) == expected(range(3))
    assert set(aws.batches()["rows"].values()) == {1}


def test_a_job_of_another_program_can_only_be_looked_at(aws: FaultServer, bedrock):
    store = client(aws, "s3", "/s3")
    line = {"recordId": "a", "modelInput": {"inputText": "row-0"}}
    store.put_object(Bucket="theirs", Key="in.jsonl", Body=json.dumps(line).encode())
    arn = client(aws, "bedrock").create_model_invocation_job(
        jobName="theirs",
        roleArn=ROLE,
        modelId="amazon.titan-text-lite-v1",
        clientRequestToken="theirs",
        timeoutDurationInHours=24,
        inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://theirs/in.jsonl"}},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://theirs/out/"}},
    )["jobArn"]
    batch_id = arn.rpartition("/")[2]
    assert finish(bedrock, batch_id) == BatchStatus.COMPLETED
    with pytest.raises(UnsupportedError, match=r"s3://theirs/in\.jsonl, in the form of another"):
        bedrock.get_batch_results(batch_id)


class OnlyAddresses:
    """A transport that takes down where calls go, and answers none."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def send(self, call: Call) -> Reply:
        self.calls.append(call)
        raise EngineError("no reply")

    async def close(self) -> None:
        pass


def test_a_bucket_has_a_host_of_its_own(aws: FaultServer, monkeypatch: pytest.MonkeyPatch):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html"""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    transport = OnlyAddresses()
    engine = BedrockInferenceEngine(
        ModelParams(model_name="m"), remote_params=RemoteParams(**STORAGE), transport=transport
    )
    with engine, pytest.raises(EngineError, match="no reply"):
        engine.infer_batch(rows(1))
    [call] = transport.calls
    assert call.method == "PUT"
    host = "https://my-bucket.s3.eu-central-1.amazonaws.com/some/folder/oumi-batch-"
    assert call.url.startswith(host)
    assert "/eu-central-1/s3/aws4_request" in call.headers["authorization"]
