"""OpenAI's official client for responses against `oumi serve`."""

from __future__ import annotations

import json

import openai
import pytest
from pydantic import BaseModel

from tests.fault_server import FaultServer
from tests.server.calls import CALL
from tests.server.process import Serve

QUESTION = "What is the capital of France?"
TOOL = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


class Sum(BaseModel):
    total: int


def test_a_response(tiny: Serve):
    response = tiny.openai.responses.create(
        model="oumi-tiny", input=QUESTION, max_output_tokens=20, instructions="Answer."
    )
    assert response.output_text == "The capital of France is Paris."
    assert (response.status, response.instructions) == ("completed", "Answer.")
    assert response.usage.total_tokens > 10
    short = tiny.openai.responses.create(model="oumi-tiny", input=QUESTION, max_output_tokens=2)
    assert short.status == "incomplete"
    assert short.incomplete_details.reason == "max_output_tokens"


def test_a_stream_says_the_same(tiny: Serve):
    fields = {"model": "oumi-tiny", "input": QUESTION, "max_output_tokens": 20}
    with tiny.openai.responses.stream(**fields) as stream:
        events = list(stream)
        final = stream.get_final_response()
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(texts) == final.output_text == "The capital of France is Paris."
    assert len(texts) > 3
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"


def test_a_response_of_a_pydantic_model(tiny: Serve):
    response = tiny.openai.responses.parse(
        model="oumi-tiny", input="What is 2 plus 3?", text_format=Sum, max_output_tokens=40
    )
    assert isinstance(response.output_parsed, Sum)


def test_log_probabilities(tiny: Serve):
    response = tiny.openai.responses.create(
        model="oumi-tiny",
        input=QUESTION,
        max_output_tokens=4,
        include=["message.output_text.logprobs"],
        top_logprobs=2,
    )
    entries = response.output[0].content[0].logprobs
    assert "".join(entry.token for entry in entries) == response.output_text


@pytest.mark.parametrize("stream", [False, True])
def test_a_round_of_tools_and_thoughts(relay: Serve, server: FaultServer, stream: bool):
    answer = {"content": "Let me see.", "tool_calls": [CALL], "reasoning_content": "Hm."}
    delta = {**answer, "tool_calls": [{"index": 0, **CALL}]}
    chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": "tool_calls"}]}
    events = {"events": [chunk]} if stream else {}
    server.plan(message=answer, finish_reason="tool_calls", **events)
    fields = {"model": "big", "input": QUESTION, "tools": [TOOL]}
    if stream:
        with relay.openai.responses.stream(**fields) as events:
            response = events.get_final_response()
    else:
        response = relay.openai.responses.create(**fields)
    kinds = [item.type for item in response.output]
    assert kinds == ["reasoning", "message", "function_call"]
    call = response.output[2]
    assert (call.name, call.arguments) == ("get_weather", '{"city":"Oslo"}')
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "Rain."}
    relay.openai.responses.create(
        **fields | {"input": [{"role": "user", "content": QUESTION}, *response.output, output]},
        tool_choice={"type": "function", "name": "get_weather"},
        reasoning={"effort": "low"},
    )
    sent = json.loads(server.stats()["last"][-1]["body"])
    assert [m["role"] for m in sent["messages"]] == ["user", "assistant", "tool"]
    assert sent["messages"][1]["content"] == "Let me see."
    assert sent["messages"][1]["tool_calls"] == [CALL]
    assert sent["messages"][2] == {"role": "tool", "content": "Rain.", "tool_call_id": "call_1"}
    assert sent["tool_choice"]["function"]["name"] == "get_weather"
    assert sent["tools"][0]["function"]["parameters"] == TOOL["parameters"]
    assert sent["reasoning_effort"] == "low"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"input": [{"type": "computer_call"}]}, "input"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
        ({"background": True}, "background"),
        ({"include": ["file_search_call.results"]}, "include"),
        ({"text": {"verbosity": "low"}}, "verbosity"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "response_format"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
    ],
)
def test_a_wrong_field_is_named(relay: Serve, fields: dict, param: str):
    with pytest.raises(openai.BadRequestError) as caught:
        relay.openai.responses.create(**{"model": "big", "input": QUESTION, **fields})
    assert caught.value.param == param


def test_an_error_in_mid_stream_is_an_event(relay: Serve, server: FaultServer):
    server.plan(faults=[{"kind": "stream_cut", "times": None}])
    with pytest.raises(openai.APIError, match="cut off"):
        list(relay.openai.responses.create(model="small", input="row-1", stream=True))
