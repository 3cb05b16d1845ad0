"""OpenAI's official client against `oumi serve`."""

from __future__ import annotations

import base64
import json

import openai
import pytest
from pydantic import BaseModel

from tests.fault_server import FaultServer
from tests.server.calls import CALL
from tests.server.process import Serve

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


class Sum(BaseModel):
    total: int


def test_an_answer(tiny: Serve):
    reply = tiny.openai.chat.completions.create(
        model="oumi-tiny", messages=QUESTION, max_completion_tokens=20
    )
    assert reply.choices[0].message.content == "The capital of France is Paris."
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
    assert reply.model == "oumi-tiny"


def test_a_stream_says_the_same(tiny: Serve):
    stream = tiny.openai.chat.completions.create(
        model="oumi-tiny", messages=QUESTION, max_tokens=20, stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    chunks = list(stream)
    texts = [choice.delta.content or "" for chunk in chunks for choice in chunk.choices]
    assert "".join(texts) == "The capital of France is Paris."
    assert len([text for text in texts if text]) > 3
    assert chunks[-1].usage.completion_tokens > 3
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_several_answers_side_by_side(tiny: Serve):
    fields = {"messages": QUESTION, "temperature": 1.5, "seed": 1, "max_tokens": 8, "n": 3}
    reply = tiny.openai.chat.completions.create(model="oumi-tiny", **fields)
    contents = [choice.message.content for choice in reply.choices]
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert len(set(contents)) > 1
    stream = tiny.openai.chat.completions.create(model="oumi-tiny", stream=True, **fields)
    streamed = ["", "", ""]
    for chunk in stream:
        for choice in chunk.choices:
            streamed[choice.index] += choice.delta.content or ""
    assert streamed == contents


def test_an_answer_of_a_pydantic_model(tiny: Serve):
    reply = tiny.openai.chat.completions.parse(
        model="oumi-tiny",
        messages=[{"role": "user", "content": "What is 2 plus 3?"}],
        response_format=Sum,
        max_tokens=40,
    )
    assert isinstance(reply.choices[0].message.parsed, Sum)


def test_a_forced_call_of_a_tool_whole_and_streamed(tiny: Serve):
    fields = {
        "model": "oumi-tiny",
        "messages": [{"role": "user", "content": "What is the weather in Oslo?"}],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "get_weather"}},
        "max_tokens": 60,
    }
    client = tiny.openai
    call = client.chat.completions.create(**fields).choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert "city" in json.loads(call.function.arguments)
    with client.chat.completions.stream(**fields) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.tool_calls[0].function.arguments == call.function.arguments
    assert final.choices[0].finish_reason == "tool_calls"


def test_log_probabilities(tiny: Serve):
    fields = {"messages": QUESTION, "logprobs": True, "top_logprobs": 2, "max_tokens": 4}
    reply = tiny.openai.chat.completions.create(model="oumi-tiny", **fields)
    entries = reply.choices[0].logprobs.content
    assert "".join(entry.token for entry in entries) == reply.choices[0].message.content
    assert [len(entry.top_logprobs) for entry in entries] == [2] * 4


def test_models(tiny: Serve):
    client = tiny.openai
    assert [model.id for model in client.models.list()] == ["oumi-tiny"]
    assert client.models.retrieve("oumi-tiny").owned_by == "oumi"
    with pytest.raises(openai.NotFoundError, match="did you mean 'oumi-tiny'"):
        client.models.retrieve("oumi-tini")


@pytest.mark.parametrize(
    ("fields", "param", "said"),
    [
        ({"messages": []}, "messages", "at least 1 item"),
        ({"messages": [{"role": "boss", "content": "x"}]}, "messages.0.role", "'system'"),
        ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
        ({"temperature": "hot"}, "temperature", "valid number"),
        ({"extra_body": {"max_tokns": 3}}, "max_tokns", "did you mean 'max_tokens'"),
        ({"store": True}, "store", "only False"),
        ({"response_format": {"type": "xml"}}, "response_format", "json_schema"),
        ({"extra_body": {"enable_thinking": True}}, "enable_thinking", "knows none"),
        ({"model": "gpt-4o"}, "model", "there are oumi-tiny"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_path", "content": "/x"}]}]},
            "messages.0",
            "names a file of the server",
        ),
        (
            {"messages": [
                {"role": "user", "content": [
                    {"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}
                ]}
            ]},
            "messages.0",
            "names a file of the server",
        ),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(tiny: Serve, fields: dict, param: str | None, said: str):
    given = {"model": "oumi-tiny", "messages": QUESTION, **fields}
    with pytest.raises(openai.APIStatusError) as caught:
        tiny.openai.chat.completions.create(**given)
    assert caught.value.status_code in (400, 404)
    assert caught.value.param == param
    assert said in caught.value.message
    assert caught.value.body["request_id"] == caught.value.request_id


def test_a_field_that_the_engine_cannot_honour_is_named(relay: Serve, server: FaultServer):
    with pytest.raises(openai.BadRequestError, match="OPENAI, the engine of big") as caught:
        relay.openai.chat.completions.create(
            model="big", messages=QUESTION, extra_body={"top_k": 5}
        )
    assert caught.value.param == "top_k"
    assert server.stats()["requests"] == 0


def test_a_prompt_that_does_not_fit(tiny: Serve):
    with pytest.raises(openai.BadRequestError) as caught:
        tiny.openai.chat.completions.create(
            model="oumi-tiny", messages=[{"role": "user", "content": "word " * 9_000}]
        )
    assert caught.value.code == "context_length_exceeded"


def test_calls_and_thoughts_of_an_api_come_through(relay: Serve, server: FaultServer):
    message = {"content": None, "tool_calls": [CALL], "reasoning_content": "Hm."}
    server.plan(message=message, finish_reason="tool_calls")
    fields = {"model": "big", "messages": QUESTION, "tools": [TOOL]}
    client = relay.openai
    reply = client.chat.completions.create(**fields)
    assert reply.choices[0].message.tool_calls[0].to_dict() == CALL
    assert reply.choices[0].message.model_extra["reasoning_content"] == "Hm."
    again = [*QUESTION, reply.choices[0].message, {"role": "tool", "tool_call_id": "call_1",
                                                   "content": "Rain."}]  # fmt: skip
    client.chat.completions.create(**fields | {"messages": again})
    sent = json.loads(server.stats()["last"][-1]["body"])
    assert sent["messages"][1]["tool_calls"] == [CALL]
    assert sent["messages"][2]["content"] == "Rain."


def test_parts_of_calls_are_streamed_as_they_come(relay: Serve, server: FaultServer):
    def chunk(**delta: object) -> dict[str, object]:
        return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}

    def part(index: int, **fields: object) -> dict[str, object]:
        return chunk(tool_calls=[{"index": index, **fields}])

    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
    server.plan(
        events=[
            part(0, id="a", function={"name": "f", "arguments": ""}),
            part(0, function={"arguments": '{"x":'}),
            part(0, function={"arguments": "1}"}),
            part(1, id="b", function={"name": "g", "arguments": "{}"}),
            end,
        ]
    )
    stream = relay.openai.chat.completions.create(
        model="big", messages=QUESTION, tools=[TOOL], stream=True
    )
    parts = [call for chunk in stream for c in chunk.choices for call in c.delta.tool_calls or ()]
    assert [(p.index, p.id, p.function.arguments) for p in parts] == [
        (0, "a", ""), (0, None, '{"x":'), (0, None, "1}"), (1, "b", "{}"),
    ]  # fmt: skip


def test_images_and_roles_are_sent_on(relay: Serve, server: FaultServer):
    pixel = base64.b64encode(
        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00"
        b"\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
    ).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{pixel}"}}
    relay.openai.chat.completions.create(
        model="big",
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "row-1"}, image]},
        ],
        stop=["END"],
        seed=4,
        user="somebody",
    )
    sent = json.loads(server.stats()["last"][-1]["body"])
    assert [message["role"] for message in sent["messages"]] == ["developer", "user"]
    assert sent["messages"][1]["content"][1] == image
    assert (sent["stop"], sent["seed"], sent["model"]) == (["END"], 4, "gpt-big")
    assert "user" not in sent
