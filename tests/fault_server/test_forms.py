"""The fault server speaks as Anthropic and Bedrock do: their own clients understand it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import anthropic
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError
from botocore.session import Session

from tests.fault_server import FaultServer

CALL = {"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}
TALKATIVE = {"reasoning_content": "Hm.", "content": "Grüß Gott", "tool_calls": [CALL]}
TOOLS = [{"name": "add", "input_schema": {"type": "object"}}]
CONVERSE_TOOLS = {"tools": [{"toolSpec": {"name": "add", "inputSchema": {"json": {}}}}]}


@pytest.fixture(scope="module")
def server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


@pytest.fixture
def claude(server: FaultServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0) as client:
        yield client


def of_aws(service: str, server: FaultServer) -> Any:
    return Session().create_client(
        service,
        region_name="eu-central-1",
        endpoint_url=server.url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def bedrock(server: FaultServer) -> Iterator[Any]:
    with closing(of_aws("bedrock-runtime", server)) as client:
        yield client


def ask_claude(client: anthropic.Anthropic, text: str = "row-1", **fields: Any) -> Any:
    question = [{"role": "user", "content": text}]
    return client.messages.create(model="m", max_tokens=9, messages=question, **fields)


def ask_bedrock(client: Any, text: str = "row-1", *, stream: bool = False, **fields: Any) -> Any:
    question = [{"role": "user", "content": [{"text": text}]}]
    ask = client.converse_stream if stream else client.converse
    return ask(modelId="eu.m-v1:0", messages=question, **fields)


def test_a_message(server: FaultServer, claude: anthropic.Anthropic) -> None:
    server.plan()
    message = ask_claude(claude)
    assert (message.content[0].text, message.stop_reason) == ("answer to row-1", "end_turn")
    assert server.answered() == {"row-1": 1}
    assert [model.id for model in claude.models.list()] == ["oumi-tiny"]


def test_thoughts_text_and_calls(server: FaultServer, claude: anthropic.Anthropic) -> None:
    server.plan(message=TALKATIVE)
    thought, text, call = ask_claude(claude, tools=TOOLS).content
    assert (thought.thinking, thought.signature) == ("Hm.", "c2lnbmVk")
    assert text.text == "Grüß Gott"
    assert (call.id, call.name, call.input) == ("c1", "add", {"a": 1})


def test_a_stream_of_messages(server: FaultServer, claude: anthropic.Anthropic) -> None:
    server.plan(message=TALKATIVE, piece_bytes=11)
    question = [{"role": "user", "content": "row-1"}]
    with claude.messages.stream(model="m", max_tokens=9, messages=question) as stream:
        assert list(stream.text_stream) == ["Grüß ", "Gott"]
        whole = stream.get_final_message()
    server.plan(message=TALKATIVE)
    plain = ask_claude(claude)
    assert [block.to_dict() for block in whole.content] == [b.to_dict() for b in plain.content]
    assert whole.stop_reason == plain.stop_reason == "tool_use"


def test_a_tool_that_has_to_be_called(server: FaultServer, claude: anthropic.Anthropic) -> None:
    server.plan(message={"content": '{"a": 7}'})
    choice = {"type": "tool", "name": "add"}
    [call] = ask_claude(claude, tools=TOOLS, tool_choice=choice).content
    assert (call.name, call.input) == ("add", {"a": 7})


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (404, anthropic.NotFoundError),
        (429, anthropic.RateLimitError),
        (529, anthropic.OverloadedError),
    ],
)
def test_errors_of_messages(
    server: FaultServer, claude: anthropic.Anthropic, code: int, error: type[Exception]
) -> None:
    server.plan(faults=[{"kind": "status", "code": code}])
    with pytest.raises(error):
        ask_claude(claude)


def test_an_error_in_a_stream_of_messages(server: FaultServer, claude: anthropic.Anthropic) -> None:
    server.plan(faults=[{"kind": "stream_error"}])
    with (
        ask_claude(claude, stream=True) as stream,
        pytest.raises(anthropic.APIStatusError, match="Overloaded"),
    ):
        list(stream)


def test_message_batches(server: FaultServer, claude: anthropic.Anthropic) -> None:
    server.plan(batch={"rows": {"row-1": 529}, "done": 2})
    requests = [
        {
            "custom_id": f"r{i}",
            "params": {
                "model": "m",
                "max_tokens": 9,
                "messages": [{"role": "user", "content": f"row-{i}"}],
            },
        }
        for i in range(3)
    ]
    batches = claude.messages.batches
    made = batches.create(requests=requests)
    assert (made.processing_status, made.request_counts.processing) == ("in_progress", 3)
    while (batch := batches.retrieve(made.id)).processing_status != "ended":
        assert batch.results_url is None
    results = {line.custom_id: line.result for line in batches.results(made.id)}
    assert results["r0"].message.content[0].text == "answer to row-0"
    assert results["r1"].error.error.type == "overloaded_error"
    assert results["r2"].type == "expired"
    assert batch.request_counts.to_dict() == {
        "processing": 0,
        "succeeded": 1,
        "errored": 1,
        "canceled": 0,
        "expired": 1,
    }
    other = batches.create(requests=requests[:1])
    assert batches.cancel(other.id).processing_status == "canceling"
    assert [batch.id for batch in batches.list(limit=1)] == [other.id, made.id]


def test_converse(server: FaultServer, bedrock: Any) -> None:
    server.plan(message=TALKATIVE)
    reply = ask_bedrock(bedrock, toolConfig=CONVERSE_TOOLS)
    thought, text, call = reply["output"]["message"]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"] == "Hm."
    assert text == {"text": "Grüß Gott"}
    assert call["toolUse"] == {"toolUseId": "c1", "name": "add", "input": {"a": 1}}
    assert reply["stopReason"] == "tool_use"
    assert server.stats()["last"][-1]["path"] == "/model/eu.m-v1%3A0/converse"


def test_models_of_bedrock(server: FaultServer) -> None:
    server.plan(models=["amazon.nova-pro-v1:0"])
    with closing(of_aws("bedrock", server)) as client:
        [model] = client.list_foundation_models(byOutputModality="TEXT")["modelSummaries"]
    assert model["modelId"] == "amazon.nova-pro-v1:0"
    assert server.stats()["last"][-1]["path"] == "/foundation-models?byOutputModality=TEXT"


def test_converse_stream(server: FaultServer, bedrock: Any) -> None:
    server.plan(message=TALKATIVE, piece_bytes=11)
    with closing(ask_bedrock(bedrock, stream=True)["stream"]) as stream:
        events = list(stream)
    deltas = [e["contentBlockDelta"]["delta"] for e in events if "contentBlockDelta" in e]
    assert [delta["text"] for delta in deltas if "text" in delta] == ["Grüß ", "Gott"]
    assert "".join(d["toolUse"]["input"] for d in deltas if "toolUse" in d) == '{"a":1}'
    assert events[-1]["metadata"]["usage"]["outputTokens"] == 5


def test_errors_of_converse(server: FaultServer, bedrock: Any) -> None:
    server.plan(faults=[{"kind": "status", "code": 429}])
    with pytest.raises(ClientError, match="Too many requests"):
        ask_bedrock(bedrock)
    server.plan(faults=[{"kind": "stream_error"}])
    with (
        closing(ask_bedrock(bedrock, stream=True)["stream"]) as stream,
        pytest.raises(EventStreamError, match="throttlingException"),
    ):
        list(stream)
