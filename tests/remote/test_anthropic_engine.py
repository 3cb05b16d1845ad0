"""The Anthropic engine against a real server process."""

from __future__ import annotations

import json
import subprocess
import sys
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
from oumi.core.types import Conversation, FinishReason, Message, Role
from oumi.errors import AccessError, ModelNotFoundError, OumiError, UnavailableError
from oumi.inference import AnthropicInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer
from tests.remote.talks import TOOL
from tests.shapes import PRODUCT

EXAMPLE = Path(__file__).parents[2] / "examples" / "tools_and_thoughts.py"
KEY = "sk-ant-very-secret-0123456789"
NO_CREDIT = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "message": "Your credit balance is too low to access the Anthropic API.",
    },
}
CALL = {"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}


@pytest.fixture
def engine(server: FaultServer) -> Iterator[AnthropicInferenceEngine]:
    with make(server) as engine:
        yield engine


def make(
    server: FaultServer, model: str = "claude-opus-5-5", kwargs: dict | None = None, **fields: Any
) -> AnthropicInferenceEngine:
    quick = {"retry_backoff_base": 0.01, "connection_timeout": 5.0, "api_key": KEY}
    return AnthropicInferenceEngine(
        ModelParams(model_name=model, model_kwargs=kwargs or {}),
        remote_params=RemoteParams(**{"api_url": server.url, **quick, **fields}),
    )


def seen(server: FaultServer) -> dict[str, Any]:
    """The last request as the server saw it, its body read."""
    last = server.stats()["last"][-1]
    return {**last, "body": json.loads(last["body"])}


def test_what_the_server_saw(server: FaultServer, engine: AnthropicInferenceEngine):
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=7))
    assert answers(engine.infer([ask("row-1")], config)) == ["answer to row-1"]
    request = seen(server)
    assert (request["method"], request["path"]) == ("POST", "/v1/messages")
    assert request["headers"]["x-api-key"] == KEY
    assert "authorization" not in request["headers"]
    assert request["headers"]["anthropic-version"] == "2026-10-21"
    assert request["body"] == {
        "model": "claude-opus-5-5",
        "max_tokens": 7,
        "messages": [{"role": "user", "content": "row-1"}],
    }


def test_sampling_asks_for_the_version_that_takes_it(server: FaultServer):
    with make(server, "claude-haiku-4-5", {"betas": ["context-1m-2025-08-07"]}) as engine:
        engine.infer([ask("row-1")])
    request = seen(server)
    assert request["body"]["temperature"] == 0.0
    assert request["headers"]["anthropic-version"] == "2023-06-01"
    assert request["headers"]["anthropic-beta"] == "context-1m-2025-08-07"


def test_a_loop_of_tools_with_signed_thoughts(
    server: FaultServer, engine: AnthropicInferenceEngine, tmp_path
):
    server.plan(message={"reasoning_content": "Hm.", "content": None, "tool_calls": [CALL]})
    saved = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
    engine.infer([ask("row-1", tools=[TOOL])], saved)
    [asked] = map(Conversation.from_json, (tmp_path / "out.jsonl").read_text().splitlines())
    call = asked[-1].tool_calls[0]
    assert (asked[-1].reasoning_content, call.id) == ("Hm.", "c1")
    server.plan()
    result = Message(role=Role.TOOL, content="2", tool_call_id=call.id)
    engine.infer([asked.model_copy(update={"messages": [*asked.messages, result]})])
    _, said, told = seen(server)["body"]["messages"]
    assert [block["type"] for block in said["content"]] == ["thinking", "tool_use"]
    assert said["content"][0] == {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"}
    assert told["content"] == [{"type": "tool_result", "tool_use_id": "c1", "content": "2"}]


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-opus-4-1"])
def test_a_schema(server: FaultServer, model: str):
    product = {"name": "Pen", "price": 20}
    server.plan(message={"content": json.dumps(product)})
    config = InferenceConfig(
        generation=GenerationParams(guided_decoding=GuidedDecodingParams(json=PRODUCT))
    )
    with make(server, model) as engine:
        [answer] = engine.infer([ask("row-1")], config)
        pieces = list(engine.stream(ask("row-1"), config))
    assert json.loads(answer[-1].content) == product
    assert answer.metadata["finish_reason"] == FinishReason.STOP
    assert json.loads("".join(piece.content for piece in pieces)) == product


def test_streaming(server: FaultServer, engine: AnthropicInferenceEngine):
    server.plan(piece_bytes=7, message={"reasoning_content": "Hm."})
    pieces = list(engine.stream(ask("row-1")))
    assert "".join(piece.content for piece in pieces) == "answer to row-1"
    assert "".join(piece.reasoning_content for piece in pieces) == "Hm."
    assert pieces[-1].completion.message.content == "answer to row-1"
    assert seen(server)["body"]["stream"] is True


@pytest.mark.parametrize("kind", ["stream_cut", "stream_error"])
def test_a_stream_that_breaks_is_an_error(
    server: FaultServer, engine: AnthropicInferenceEngine, kind: str
):
    server.plan(faults=[{"kind": kind}])
    with pytest.raises(UnavailableError):
        list(engine.stream(ask("row-1")))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "code": 429, "retry_after_s": 1, "retry_after": "ms"},
        {"kind": "status", "code": 529},
        {"kind": "status", "code": 500},
        {"kind": "malformed"},
        {"kind": "truncated_json"},
        {"kind": "wrong_choices", "variant": "no_choices"},
    ],
    ids=str,
)
def test_what_is_tried_again(server: FaultServer, engine: AnthropicInferenceEngine, fault: dict):
    server.plan(faults=[fault])
    assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
    assert server.stats()["requests"] == 2


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        ({"code": 401}, AccessError, "ANTHROPIC_API_KEY"),
        ({"code": 404}, ModelNotFoundError, r"model: claude-nope\. Check model\.model_name"),
        ({"code": 402, "error": "billing_error"}, AccessError, "add credit"),
        ({"code": 400, "body": NO_CREDIT}, AccessError, "add credit"),
    ],
)
def test_what_stops_the_run(
    server: FaultServer,
    engine: AnthropicInferenceEngine,
    fault: dict,
    error: type[OumiError],
    reason: str,
):
    server.plan(faults=[{"kind": "status", "times": None, **fault}])
    with pytest.raises(error, match=reason) as caught:
        engine.infer([ask("row-1"), ask("row-2")])
    assert KEY not in str(caught.value)


def test_a_request_that_is_too_large_fails_alone(
    server: FaultServer, engine: AnthropicInferenceEngine
):
    server.plan(scripts={"row-1": [{"kind": "status", "code": 413}]})
    result = engine.infer_partial([ask("row-1"), ask("row-2")])
    assert (list(result.rows), result.failed_indices) == ([1], [0])


def test_its_models_are_listed(server: FaultServer, engine: AnthropicInferenceEngine):
    server.plan(models=["claude-opus-5-5", "claude-haiku-5-5"])
    assert engine.list_models() == ["claude-opus-5-5", "claude-haiku-5-5"]
    last = server.stats()["last"][-1]
    assert last["path"] == "/v1/models?limit=1000"
    assert last["headers"]["anthropic-version"] == "2026-10-21"


@pytest.mark.parametrize("end", ["", "/v1", "/v1/messages"])
def test_its_address_as_the_official_client_has_it(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, end: str
):
    monkeypatch.setenv("ANTHROPIC_BASE_URL", f"{server.url}/gateway{end}")
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    with AnthropicInferenceEngine(ModelParams(model_name="claude-opus-5-5")) as engine:
        engine.infer([ask("row-1")])
    assert seen(server)["path"] == "/gateway/v1/messages"


def test_the_example_goes_through_its_loop(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "s1"}
    call = {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}}
    asks = {
        "content": [thought, call],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    first = {"kind": "status", "code": 200, "body": asks}
    server.plan(scripts={"Do I need an umbrella in Paris?": [first]}, message={"content": "No."})
    monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    command = [sys.executable, "-W", "error", str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "user: Do I need an umbrella in Paris?",
        "assistant: (calls a tool)",
        "tool: Paris: 21 °C, sunny",
        "assistant: No.",
    ]
    assert seen(server)["body"]["messages"][1]["content"] == [thought, call]
