"""Servers that answer oddly, over a real connection: no answer is paid for twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation, Message, Role, ToolDefinition
from oumi.errors import UnavailableError
from oumi.inference import build_engine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

Make = Callable[..., Any]


def make(server: FaultServer, engine: str = "REMOTE", **fields: Any) -> Any:
    quick = {"retry_backoff_base": 0.01, "connection_timeout": 60.0, "api_key": "k"}
    remote = RemoteParams(api_url=server.url, **{**quick, **fields})
    model = ModelParams(model_name="claude-opus-5-5" if engine == "ANTHROPIC" else "m")
    return build_engine(InferenceConfig(engine=engine, model=model, remote_params=remote))


def raw(body: bytes, kind: str = "application/json") -> dict[str, Any]:
    """A reply as it is written, again and again."""
    headers = {"content-type": kind}
    return {"kind": "raw", "body": body.decode("latin-1"), "headers": headers, "times": None}


def sse(*values: Any) -> dict[str, Any]:
    events = [b"data: " + orjson.dumps(value) + b"\n\n" for value in values]
    return raw(b"".join(events), "text/event-stream")


CHAT = b'{"choices":[{"finish_reason":"stop","message":{"content":"a\xff\\ud83d"}}],"usage":NaN}'
ANTHROPIC = (
    b'{"content":[{"type":"text","text":"a\xff\\ud83d"}],"stop_reason":"end_turn","usage":[]}'
)


@pytest.mark.parametrize(("engine", "body"), [("REMOTE", CHAT), ("ANTHROPIC", ANTHROPIC)])
def test_an_answer_that_is_not_strict_json_is_paid_once(
    server: FaultServer, engine: str, body: bytes
) -> None:
    server.plan(faults=[raw(b"\xef\xbb\xbf" + body)])
    with make(server, engine) as opened:
        assert answers(opened.infer([ask("row-1")])) == ["a\ufffd\ufffd"]
        assert "".join(delta.content for delta in opened.stream(ask("row-1"))) == "a\ufffd\ufffd"
    assert server.stats()["requests"] == 2


def test_what_holds_no_answer_is_kept_in_the_failure(server: FaultServer, tmp_path) -> None:
    page = raw(b"<html>Please sign in</html>", "text/html")
    server.plan(scripts={"row-1": [page]})
    output = tmp_path / "out.jsonl"
    asked = [ask("row-0"), ask("row-1")]
    with make(server, max_retries=1, num_workers=1) as engine:
        result = engine.infer_partial(asked, InferenceConfig(output_path=str(output)))
    assert result.failures[1].reply == "<html>Please sign in</html>"
    assert "a page of HTML" in result.failures[1].error_message
    assert result.failures[1].attempts == 2
    [line] = (tmp_path / "out.jsonl.failures.jsonl").read_text().splitlines()
    assert json.dumps("<html>Please sign in</html>") in line


def test_an_answer_that_cannot_be_read_is_kept_and_paid_once(server: FaultServer) -> None:
    body = b'{"choices":[{"finish_reason":"stop","message":{"content":[{"type":"image"}]}}]}'
    server.plan(faults=[raw(body)])
    with make(server) as engine:
        result = engine.infer_partial([ask("row-1")])
    assert result.failures[0].reply == body.decode()
    assert server.stats()["requests"] == 1


def test_streamed_calls_can_be_answered(server: FaultServer) -> None:
    calls = [{"function": {"name": name, "arguments": {"a": 1}}} for name in ("f", "g")]
    chunks = [{"choices": [{"delta": {"tool_calls": [call]}}]} for call in calls]
    end = {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}
    server.plan(scripts={"row-1": [sse(*chunks, end)]})
    tools = [ToolDefinition.model_validate({"name": name}) for name in ("f", "g")]
    with make(server) as engine:
        question = ask("row-1", tools=tools)
        answer = list(engine.stream(question))[-1].completion.message
        assert [call.function.name for call in answer.tool_calls] == ["f", "g"]
        results = [
            Message(role=Role.TOOL, content="1", tool_call_id=call.id) for call in answer.tool_calls
        ]
        server.plan()
        messages = [*question.messages, answer, *results]
        engine.infer([Conversation(messages=messages, tools=tools)])
    sent = json.loads(server.stats()["last"][-1]["body"])["messages"]
    ids = [call.id for call in answer.tool_calls]
    assert [message.get("tool_call_id") for message in sent[2:]] == ids


def test_an_error_inside_a_stream_keeps_the_servers_words(server: FaultServer) -> None:
    server.plan(faults=[sse({"choices": [{"delta": {"content": "Gr"}}]}, {"error": "Too busy"})])
    with make(server) as engine, pytest.raises(UnavailableError, match="Too busy") as caught:
        list(engine.stream(ask("row-1")))
    assert caught.value.reply == "Gr"


def test_reasoning_goes_back_to_deepseek(server: FaultServer) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    server.plan(message={"content": None, "tool_calls": [call], "reasoning_content": "Hm."})
    with make(server, "DEEPSEEK") as engine:
        tools = [ToolDefinition.model_validate({"name": "f"})]
        [asked] = engine.infer([ask("row-1", tools=tools)])
        result = Message(role=Role.TOOL, content="1", tool_call_id="c")
        server.plan()
        engine.infer([asked.model_copy(update={"messages": [*asked.messages, result]})])
    sent = json.loads(server.stats()["last"][-1]["body"])["messages"]
    assert sent[1]["reasoning_content"] == "Hm."


def test_a_stream_that_flows_is_not_cut(server: FaultServer) -> None:
    server.plan(faults=[{"kind": "slow", "seconds": 3, "pieces": 30}])
    with make(server, connection_timeout=2) as engine:
        text = "".join(delta.content for delta in engine.stream(ask("row-1")))
    assert text == "answer to row-1"


def streamed(server: FaultServer) -> list[bool]:
    """Whether each request asked for a stream."""
    return [b'"stream":true' in seen["body"].encode() for seen in server.stats()["last"]]


def test_an_answer_that_took_too_long_is_streamed_when_it_is_tried_again(
    server: FaultServer,
) -> None:
    slow = {"kind": "slow", "seconds": 4, "pieces": 40, "times": None}
    server.plan(scripts={"row-1": [slow]})
    with make(server, connection_timeout=2) as engine:
        assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
        assert streamed(server) == [False, True]
        engine.infer([ask("row-2")])
        assert streamed(server) == [False, True, False], "only that row"


@pytest.mark.parametrize("code", [504, 524])
def test_so_is_one_that_took_too_long_for_a_gateway(server: FaultServer, code: int) -> None:
    server.plan(faults=[{"kind": "status", "code": code}])
    with make(server) as engine:
        assert answers(engine.infer([ask("row-1")])) == ["answer to row-1"]
    assert streamed(server) == [False, True]


@pytest.mark.parametrize("engine", ["REMOTE", "ANTHROPIC"])
def test_an_answer_that_may_be_long_is_streamed(server: FaultServer, engine: str) -> None:
    server.plan(message={"content": "a long answer"})
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=16_384))
    with make(server, engine) as opened:
        [answer] = opened.infer([ask("row-1")], config)
        [short] = opened.infer([ask("row-1")])
    assert streamed(server) == [True, False]
    assert answer.messages == short.messages
    assert answer.metadata["usage"]["completion_tokens"] == 5


def test_a_long_answer_that_breaks_off_is_kept_as_far_as_it_came(server: FaultServer) -> None:
    server.plan(faults=[{"kind": "stream_cut", "times": None}])
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=20_000))
    with make(server, max_retries=1) as engine:
        failure = engine.infer_partial([ask("row-1")], config).failures[0]
    assert failure.attempts == 2
    assert failure.reply == "answer to "
