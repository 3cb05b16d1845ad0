"""`generation.continue_final_message` on APIs that have fields of their own for it, or none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import Conversation, Message, Role
from oumi.errors import UnsupportedError
from oumi.inference import MistralInferenceEngine
from tests.fault_server import FaultServer
from tests.remote import test_anthropic_dialect as anthropic
from tests.remote import test_bedrock_dialect as bedrock
from tests.remote.talks import settings

START = "The capital of "
CONTINUING = InferenceConfig(generation=GenerationParams(continue_final_message=True))


def begun() -> Conversation:
    question = Message(role=Role.USER, content="What is the capital of France?")
    return Conversation(messages=[question, Message(role=Role.ASSISTANT, content=START)])


@pytest.fixture
def mistral(server: FaultServer) -> Iterator[MistralInferenceEngine]:
    remote = RemoteParams(api_url=server.api_url, api_key="k")
    with MistralInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
        yield engine


ADDED = {
    "The capital of France.": "France.",
    "The capital of": "",
    "The capital of\nFrance.": "\nFrance.",
    "France.": "France.",
}


@pytest.mark.parametrize("text", ADDED)
def test_mistral_repeats_the_message(mistral, server: FaultServer, text: str):
    server.plan(message={"content": text})
    [answer] = mistral.infer([begun()], CONTINUING)
    assert answer.messages[-1].content == START + ADDED[text]
    assert len(answer.messages) == 2
    [seen] = server.stats()["last"]
    body: dict[str, Any] = json.loads(seen["body"])
    assert body["messages"][-1] == {"role": "assistant", "content": START, "prefix": True}
    assert "continue_final_message" not in body


@pytest.mark.parametrize("text", ["The capital of France.", "France."])
def test_a_stream_brings_what_was_added(mistral, server: FaultServer, text: str):
    server.plan(message={"content": text})
    *pieces, last = mistral.stream(begun(), CONTINUING)
    assert "".join(piece.content for piece in pieces) == "France."
    assert last.completion.message.content == START + "France."


@pytest.mark.parametrize("model", ["claude-sonnet-4-6", "claude-opus-5-5"])
def test_later_models_of_anthropic_continue_nothing(model: str):
    with pytest.raises(UnsupportedError, match="continues no message, as Claude"):
        anthropic.body_of(begun(), settings(model, continue_final_message=True))
    with pytest.raises(UnsupportedError, match="continues no message, as Claude"):
        bedrock.body_of(begun(), settings(f"us.anthropic.{model}", continue_final_message=True))


@pytest.mark.parametrize("model", [bedrock.CLAUDE, bedrock.NOVA])
def test_converse_continues_the_last_message_by_itself(model: str):
    body = bedrock.body_of(begun(), settings(model, continue_final_message=True))
    assert body["messages"][-1] == {"role": "assistant", "content": [{"text": START}]}


def test_other_models_behind_converse():
    config = settings("meta.llama3-70b-instruct-v1:0", continue_final_message=True)
    with pytest.raises(UnsupportedError, match="as models of Anthropic and Nova do"):
        bedrock.body_of(begun(), config)
