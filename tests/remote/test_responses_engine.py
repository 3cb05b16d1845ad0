"""The Responses API from engine to server: each thing it can do, on a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import (
    ContentItem,
    Conversation,
    FinishReason,
    Message,
    Role,
    Type,
)
from oumi.errors import InferenceError, UnavailableError
from oumi.inference import OpenAIInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.talks import PNG, SCHEMA, TOOL

CALL = {"id": "call_1", "function": {"name": "add", "arguments": '{"a": 1}'}}
ENCRYPTED = "gAAAAABencrypted=="


@pytest.fixture
def engine(server: FaultServer) -> Iterator[OpenAIInferenceEngine]:
    with make(server) as made:
        yield made


def make(server: FaultServer, **kwargs: Any) -> OpenAIInferenceEngine:
    remote = RemoteParams(
        api_url=server.api_url,
        api_key="sk-very-secret-0123456789",
        retry_backoff_base=0.01,
        connection_timeout=5.0,
    )
    model = ModelParams(model_name="gpt-5-pro", model_kwargs=kwargs)
    return OpenAIInferenceEngine(model, remote_params=remote)


def seen(server: FaultServer) -> dict[str, Any]:
    """The body of the last request."""
    last = server.stats()["last"][-1]
    assert last["path"] == "/v1/responses"
    body: dict[str, Any] = json.loads(last["body"])
    return body


def test_text(engine: OpenAIInferenceEngine, server: FaultServer):
    server.plan()
    [answered] = engine.infer([ask("row-1")], InferenceConfig(generation=tokens(77)))
    assert answered.messages[-1].content == "answer to row-1"
    assert answered.metadata["finish_reason"] == FinishReason.STOP
    assert answered.metadata["usage"]["completion_tokens"] == 5
    assert seen(server) == {
        "model": "gpt-5-pro",
        "input": [{"role": "user", "content": "row-1"}],
        "max_output_tokens": 77,
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }


def tokens(most: int) -> GenerationParams:
    return GenerationParams(max_new_tokens=most)


def test_images_a_schema_and_effort(server: FaultServer):
    server.plan(message={"content": '{"sum_of_both": 3}'})
    items = [
        ContentItem(type=Type.TEXT, content="row-1"),
        ContentItem(type=Type.IMAGE_BINARY, binary=PNG),
    ]
    guided = GenerationParams(guided_decoding=GuidedDecodingParams(json=SCHEMA))
    with make(server, reasoning={"effort": "high", "summary": "auto"}) as engine:
        [answered] = engine.infer(
            [Conversation(messages=[Message(role=Role.USER, content=items)])],
            InferenceConfig(generation=guided),
        )
    assert answered.parsed() == {"sum_of_both": 3}
    body = seen(server)
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["text"]["format"]["schema"] == SCHEMA
    assert [part["type"] for part in body["input"][0]["content"]] == ["input_text", "input_image"]


@pytest.mark.parametrize("streamed", [False, True])
def test_thoughts_before_a_call_go_back_encrypted(
    engine: OpenAIInferenceEngine, server: FaultServer, streamed: bool, tmp_path: Path
):
    said = {"content": None, "reasoning_content": "Hm.", "tool_calls": [CALL]}
    server.plan(message=said, piece_bytes=7)
    question = ask("row-1", tools=[TOOL])
    if streamed:
        *_, last = engine.stream(question)
        asked = last.completion.join(question)
    else:
        output = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
        engine.infer([question], output)
        asked = Conversation.from_json((tmp_path / "out.jsonl").read_text())
    message = asked.messages[-1]
    assert message.reasoning_content == "Hm."
    assert asked.metadata["usage"]["reasoning_tokens"] == 3
    assert asked.metadata["finish_reason"] == FinishReason.TOOL_CALLS
    [call] = message.tool_calls
    server.plan()
    result = Message(role=Role.TOOL, content="forty-two", tool_call_id=call.id)
    [answered] = engine.infer([asked.with_reply(result)])
    assert answered.messages[-1].content == "answer to row-1"
    thought, sent_call, sent_result = seen(server)["input"][1:]
    assert thought == message.content_blocks[0]
    assert thought["encrypted_content"] == ENCRYPTED
    assert (sent_call["call_id"], sent_call["name"]) == ("call_1", "add")
    assert sent_result["output"] == "forty-two"


def test_a_stream_shows_thoughts_and_text(engine: OpenAIInferenceEngine, server: FaultServer):
    server.plan(message={"reasoning_content": "Hm."}, piece_bytes=5)
    pieces = list(engine.stream(ask("row-1")))
    assert "".join(piece.reasoning_content for piece in pieces) == "Hm."
    assert [piece.content for piece in pieces if piece.content] == ["answer ", "to ", "row-1"]
    assert pieces[-1].completion.finish_reason is FinishReason.STOP
    assert pieces[-1].completion.usage.completion_tokens == 5
    assert seen(server)["stream"] is True


def test_a_refusal_and_an_answer_that_is_too_long(
    engine: OpenAIInferenceEngine, server: FaultServer
):
    server.plan(message={"content": "", "refusal": "I will not."})
    [refused] = engine.infer([ask("row-1")])
    assert refused.messages[-1].content == "I will not."
    assert refused.metadata["finish_reason"] == FinishReason.CONTENT_FILTER
    server.plan(finish_reason="length")
    [cut] = engine.infer([ask("row-1")])
    assert cut.metadata["finish_reason"] == FinishReason.LENGTH


def test_a_long_answer_is_asked_for_as_a_stream(engine: OpenAIInferenceEngine, server: FaultServer):
    server.plan()
    [answered] = engine.infer([ask("row-1")], InferenceConfig(generation=tokens(50_000)))
    assert answered.messages[-1].content == "answer to row-1"
    assert seen(server)["stream"] is True


@pytest.mark.parametrize(
    "fault",
    [
        *({"kind": kind} for kind in ("reset", "cut", "truncated_json", "malformed", "wrong_type")),
        *(
            {"kind": "wrong_choices", "variant": variant}
            for variant in ("no_choices", "empty", "null_content", "null_message")
        ),
        {"kind": "status", "code": 503},
    ],
    ids=lambda fault: fault.get("variant", fault["kind"]),
)
def test_what_may_pass_is_tried_again(
    engine: OpenAIInferenceEngine, server: FaultServer, fault: dict[str, Any]
):
    server.plan(faults=[fault])
    assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
    assert server.stats()["rows"]["row-1"] == [2, 1]


@pytest.mark.parametrize("kind", ["stream_cut", "stream_error"])
def test_a_stream_that_breaks(engine: OpenAIInferenceEngine, server: FaultServer, kind: str):
    server.plan(faults=[{"kind": kind}])
    with pytest.raises(UnavailableError):
        list(engine.stream(ask("row-1")))


def test_a_row_that_the_model_is_not_to_answer_fails_alone(
    engine: OpenAIInferenceEngine, server: FaultServer
):
    error = {"code": "invalid_prompt", "message": "Invalid prompt: against our usage policy."}
    body = json.dumps({"object": "response", "status": "failed", "error": error, "output": []})
    server.plan(scripts={"row-1": [{"kind": "raw", "body": body, "times": None}]})
    with pytest.raises(InferenceError, match="against our usage policy") as caught:
        engine.infer([ask(f"row-{i}") for i in range(3)])
    assert caught.value.result.failed_indices == [1]
    assert server.stats()["rows"]["row-1"] == [1, 1]


def test_a_batch(engine: OpenAIInferenceEngine, server: FaultServer):
    server.plan(message={"reasoning_content": "Hm."}, batch={"rows": {"row-1": 400}})
    batch_id = engine.infer_batch([ask(f"row-{i}") for i in range(3)])
    engine.wait_for_batch(batch_id, poll_interval_s=0.005)
    result = engine.get_batch_results_partial(batch_id)
    assert answers(result.conversations) == ["answer to row-0", "answer to row-2"]
    assert result.failed_indices == [1]
    thought = result.conversations[0].messages[-1].content_blocks[0]
    assert thought["encrypted_content"] == ENCRYPTED
    [made] = server.batches()["batches"]
    assert made["endpoint"] == "/v1/responses"


def test_a_batch_is_read_by_the_api_that_it_was_submitted_to(server: FaultServer):
    """Whatever the settings of the engine that reads it say."""
    submitter = by_api(server, "responses")
    reader = by_api(server, None)
    with submitter, reader:
        batch_id = submitter.infer_batch([ask("row-1")])
        reader.wait_for_batch(batch_id, poll_interval_s=0.005)
        assert answers(reader.get_batch_results(batch_id)) == ["answer to row-1"]
        other_id = reader.infer_batch([ask("row-2")])
        submitter.wait_for_batch(other_id, poll_interval_s=0.005)
        assert answers(submitter.get_batch_results(other_id)) == ["answer to row-2"]
    endpoints = [batch["endpoint"] for batch in server.batches()["batches"]]
    assert endpoints == ["/v1/responses", "/v1/chat/completions"]


def by_api(server: FaultServer, api: str | None) -> OpenAIInferenceEngine:
    remote = RemoteParams(api_url=server.api_url, api_key="sk-very-secret-0123456789", api=api)
    return OpenAIInferenceEngine(ModelParams(model_name="m"), remote_params=remote)
