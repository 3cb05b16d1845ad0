"""Anthropic's official client against `oumi serve`."""

from __future__ import annotations

import json

import anthropic
import pytest

from tests.fault_server import FaultServer
from tests.server.calls import CALL
from tests.server.process import Serve

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
TOOL = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
TINY = {"model": "oumi-tiny", "messages": QUESTION, "max_tokens": 20}
BIG = {"model": "big", "messages": QUESTION, "max_tokens": 20}


def sent(server: FaultServer) -> dict:
    return json.loads(server.stats()["last"][-1]["body"])


def test_a_message(tiny: Serve):
    message = tiny.anthropic.messages.create(**TINY)
    assert [block.text for block in message.content] == ["The capital of France is Paris."]
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens > 5
    assert tiny.anthropic.messages.create(**TINY | {"max_tokens": 2}).stop_reason == "max_tokens"


def test_a_stream_says_the_same(tiny: Serve):
    with tiny.anthropic.messages.stream(**TINY) as stream:
        texts = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(texts) == final.content[0].text == "The capital of France is Paris."
    assert len(texts) > 3
    assert final.usage.output_tokens > 3


def test_tokens_are_counted_as_they_will_be(tiny: Serve):
    fields = {name: TINY[name] for name in ("model", "messages")} | {"system": "Be brief."}
    counted = tiny.anthropic.messages.count_tokens(**fields)
    message = tiny.anthropic.messages.create(**fields, max_tokens=2)
    assert counted.input_tokens == message.usage.input_tokens


def test_models(tiny: Serve):
    assert [model.id for model in tiny.anthropic.models.list()] == ["oumi-tiny"]


def test_a_forced_call_of_a_tool_whole_and_streamed(tiny: Serve):
    fields = TINY | {
        "messages": [{"role": "user", "content": "What is the weather in Oslo?"}],
        "tools": [TOOL],
        "tool_choice": {"type": "tool", "name": "get_weather"},
        "max_tokens": 60,
    }
    message = tiny.anthropic.messages.create(**fields)
    assert message.stop_reason == "tool_use"
    assert message.content[-1].name == "get_weather"
    with tiny.anthropic.messages.stream(**fields) as stream:
        assert stream.get_final_message().content[-1].input == message.content[-1].input


def test_an_answer_of_a_schema(tiny: Serve):
    schema = {
        "type": "object",
        "properties": {"total": {"type": "integer"}},
        "required": ["total"],
        "additionalProperties": False,
    }
    output = {"format": {"type": "json_schema", "schema": schema}}
    message = tiny.anthropic.messages.create(**TINY | {"output_config": output, "max_tokens": 40})
    assert isinstance(json.loads(message.content[0].text)["total"], int)


def test_a_begun_answer_is_continued(tiny: Serve):
    begun = [*QUESTION, {"role": "assistant", "content": "The capital of"}]
    message = tiny.anthropic.messages.create(**TINY | {"messages": begun})
    assert message.content[0].text == " France is Paris."


def test_a_round_of_tools_and_thoughts(relay: Serve, server: FaultServer):
    answer = {"content": "Let me see.", "tool_calls": [CALL], "reasoning_content": "Hm."}
    server.plan(message=answer, finish_reason="tool_calls")
    fields = BIG | {"tools": [TOOL]}
    message = relay.anthropic.messages.create(**fields)
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert message.content[0].thinking == "Hm."
    results = {
        "type": "tool_result",
        "tool_use_id": message.content[2].id,
        "content": [{"type": "text", "text": "Rain."}],
    }
    turns = [
        *QUESTION,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [results, {"type": "text", "text": "And now?"}]},
    ]
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    choice = {"type": "any", "disable_parallel_tool_use": True}
    relay.anthropic.messages.create(
        **fields | {"messages": turns, "system": system, "tool_choice": choice},
        stop_sequences=["END"],
        extra_body={"temperature": 0.5},
    )
    body = sent(server)
    assert [m["role"] for m in body["messages"]] == [
        "system", "user", "assistant", "tool", "user",
    ]  # fmt: skip
    assert body["messages"][2]["tool_calls"] == [CALL]
    assert body["messages"][3]["tool_call_id"] == "call_1"
    assert body["tools"][0]["function"]["parameters"] == TOOL["input_schema"]
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    assert (body["stop"], body["temperature"]) == (["END"], 0.5)


def test_what_claude_signed_comes_back_to_it(server: FaultServer, tmp_path, home: str):
    """A whole path through: Anthropic's client, this server, Anthropic's API."""
    server.plan()
    arguments = ["--engine", "ANTHROPIC", "--model.model_name", "claude-x"]
    arguments += ["--remote_params.api_url", server.api_url]
    signed = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"},
        {"type": "text", "text": "Well."},
    ]
    with Serve(*arguments, HOME=home, ANTHROPIC_API_KEY="sk-ant-of-the-server") as serve:
        turns = [*QUESTION, {"role": "assistant", "content": signed}, *QUESTION]
        message = serve.anthropic.messages.create(model="claude-x", messages=turns, max_tokens=20)
    assert message.content[0].text.startswith("answer to")
    assert sent(server)["messages"][1]["content"] == signed


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "thinking"),
        ({"messages": [{"role": "user", "content": [{"type": "widget"}]}]}, "messages.0.content"),
        ({"messages": [{"role": "assistant", "content": [{"type": "tool_use"}]}]}, "messages.0"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools.0.type"),
        ({"tools": [{"name": "f", "input_schema": 3}]}, "tools.0"),
        ({"tool_choice": {"type": "perhaps"}}, "tool_choice.type"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"extra_body": {"containers": 1}}, "containers"),
    ],
)
def test_a_wrong_field_is_named(relay: Serve, fields: dict, said: str):
    with pytest.raises(anthropic.BadRequestError) as caught:
        relay.anthropic.messages.create(**BIG | fields)
    error = caught.value.body["error"]
    assert error["type"] == "invalid_request_error"
    assert error["message"].startswith(said)


@pytest.mark.parametrize(
    ("code", "kind"), [(429, anthropic.RateLimitError), (401, anthropic.InternalServerError)]
)
def test_errors_have_anthropics_form(relay: Serve, server: FaultServer, code: int, kind: type):
    server.plan(faults=[{"kind": "status", "code": code, "times": None}])
    with pytest.raises(kind) as caught:
        relay.anthropic.messages.create(**BIG | {"model": "small"})
    assert caught.value.body["type"] == "error"
    with pytest.raises(anthropic.NotFoundError):
        relay.anthropic.messages.create(**BIG | {"model": "claude"})


def test_an_error_in_mid_stream_is_an_event(relay: Serve, server: FaultServer):
    server.plan(faults=[{"kind": "stream_cut", "times": None}])
    with (
        pytest.raises(anthropic.APIError, match="cut off"),
        relay.anthropic.messages.stream(**BIG | {"model": "small"}) as stream,
    ):
        stream.get_final_message()


def test_tokens_of_an_api_are_not_counted(relay: Serve):
    with pytest.raises(anthropic.BadRequestError, match="counts no tokens"):
        relay.anthropic.messages.count_tokens(model="big", messages=QUESTION)
