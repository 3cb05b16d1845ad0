"""The fault server speaks OpenAI's Responses API: the official client understands it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.fault_server import FaultServer

CALL = {"id": "c1", "function": {"name": "add", "arguments": '{"a": 1}'}}
TALKATIVE = {"reasoning_content": "Hm.", "content": "Grüß Gott", "tool_calls": [CALL]}
INCLUDE = ["reasoning.encrypted_content"]


@pytest.fixture
def client(server: FaultServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.api_url, api_key="k", max_retries=0) as client:
        yield client


def ask(client: openai.OpenAI, text: str = "row-1", **fields: Any) -> Any:
    return client.responses.create(model="m", input=text, **fields)


def test_a_response(server: FaultServer, client: openai.OpenAI) -> None:
    response = ask(client)
    assert (response.output_text, response.status) == ("answer to row-1", "completed")
    assert response.usage.output_tokens == 5
    assert server.answered() == {"row-1": 1}


def test_thoughts_text_and_calls(server: FaultServer, client: openai.OpenAI) -> None:
    server.plan(message=TALKATIVE, finish_reason="length")
    response = ask(client, include=INCLUDE)
    thought, text, call = response.output
    assert (thought.summary[0].text, thought.encrypted_content) == ("Hm.", "gAAAAABencrypted==")
    assert text.content[0].text == "Grüß Gott"
    assert (call.call_id, call.name, json.loads(call.arguments)) == ("c1", "add", {"a": 1})
    assert response.incomplete_details.reason == "max_output_tokens"


def test_a_stream(server: FaultServer, client: openai.OpenAI) -> None:
    server.plan(message=TALKATIVE, piece_bytes=11)
    with client.responses.stream(model="m", input="row-1", include=INCLUDE) as stream:
        events = list(stream)
        whole = stream.get_final_response()
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert texts == ["Grüß ", "Gott"]
    assert whole.output_text == "Grüß Gott"
    assert [item.type for item in whole.output] == ["reasoning", "message", "function_call"]


def test_errors(server: FaultServer, client: openai.OpenAI) -> None:
    server.plan(faults=[{"kind": "status", "code": 429}])
    with pytest.raises(openai.RateLimitError):
        ask(client)
    server.plan(faults=[{"kind": "stream_error"}])
    with ask(client, stream=True) as stream:
        *_, last = stream
    assert (last.type, last.code, last.message) == (
        "error",
        "server_error",
        "The server had an error.",
    )
