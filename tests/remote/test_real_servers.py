"""A server that is not ours: llama.cpp's own, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, Field

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import Conversation, FinishReason, FunctionDefinition, ToolDefinition
from oumi.inference import LlamaCppInferenceEngine, RemoteInferenceEngine
from oumi.models import TINY_GGUF
from tests.conftest import answers, ask

SLOTS, CONTEXT = 4, 2048
NAME = "tiny-on-a-server"
COUNTRIES = ["France", "Italy", "Japan", "Spain", "Germany", "Egypt", "Norway", "Peru"]

SERVER = """
import sys
import xllamacpp

path, name, slots, context = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
params = xllamacpp.CommonParams()
params.model.path = path
params.model_alias = {name}
params.n_parallel = slots
params.n_ctx = slots * context
params.port = 0
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.verbosity = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()  # ends when the tests do
"""


class City(BaseModel):
    name: str = Field(max_length=20)
    inhabitants: int = Field(ge=0, le=999)
    climate: Literal["warm", "mild", "cold"]
    is_capital: bool


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-c", SERVER, str(TINY_GGUF), NAME, str(SLOTS), str(CONTEXT)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), "llama.cpp's server did not start"
        yield address
        process.kill()


@pytest.fixture(scope="module")
def remote(url: str) -> Iterator[RemoteInferenceEngine]:
    params = RemoteParams(api_url=url, num_workers=8, connection_timeout=60)
    with RemoteInferenceEngine(ModelParams(model_name=NAME), remote_params=params) as engine:
        yield engine


def tokens(count: int, **fields: object) -> InferenceConfig:
    return InferenceConfig(generation=GenerationParams(max_new_tokens=count, **fields))


def easy_questions() -> list[Conversation]:
    """Questions whose answers the model is sure of, so that no rounding can turn one."""
    capitals = [ask(f"What is the capital of {country}?") for country in COUNTRIES]
    return [*capitals, *(ask(f"What is {i}+{i % 4}?") for i in range(1, 13))]


def test_the_texts_are_those_of_the_same_model_in_this_process(
    remote: RemoteInferenceEngine, engine: LlamaCppInferenceEngine
):
    questions = easy_questions()
    assert len(questions) == 20
    there, here = (which.infer(questions, tokens(32)) for which in (remote, engine))
    assert answers(there) == answers(here)
    assert [c.metadata["finish_reason"] for c in there] == [FinishReason.STOP] * 20
    assert [c.metadata["usage"]["completion_tokens"] for c in there] == [
        c.metadata["usage"]["completion_tokens"] for c in here
    ]


def test_streaming(remote: RemoteInferenceEngine):
    [question, *_] = easy_questions()
    pieces = list(remote.stream(question, tokens(32)))
    whole = pieces[-1].completion
    assert len(pieces) > 3
    assert "".join(piece.content for piece in pieces) == whole.message.content
    assert whole.message.content == answers(remote.infer([question], tokens(32)))[0]
    assert whole.usage.completion_tokens > 3


def test_a_schema_shapes_every_answer(remote: RemoteInferenceEngine):
    config = tokens(128, guided_decoding=GuidedDecodingParams(json=City))
    questions = [ask(f"Tell me about the capital of {country}.") for country in COUNTRIES]
    whole = [
        conversation
        for conversation in remote.infer(questions, config)
        # The server's own grammar lets white space run on until the tokens end.
        if conversation.metadata["finish_reason"] == FinishReason.STOP
    ]
    assert len(whole) > len(questions) / 2
    for text in answers(whole):
        City.model_validate_json(text, strict=True)


def test_a_tool_is_called(remote: RemoteInferenceEngine):
    weather = ToolDefinition(
        function=FunctionDefinition(
            name="get_weather",
            description="Get the weather of a city.",
            parameters={
                "type": "object",
                "properties": {"city": {"type": "string", "maxLength": 20}},
                "required": ["city"],
            },
        )
    )
    question = ask("What is the weather in Paris?", tools=[weather])
    answer = remote.infer([question], tokens(64, tool_choice="required"))[0]
    [call] = answer.messages[-1].tool_calls
    assert call.id
    assert call.function.name == "get_weather"
    assert list(call.function.get_arguments_dict()) == ["city"]
    assert answer.metadata["finish_reason"] == FinishReason.TOOL_CALLS


def test_logprobs(remote: RemoteInferenceEngine):
    answer = remote.infer(easy_questions()[:1], tokens(8, logprobs=2))[0]
    first = answer.metadata["logprobs"]["content"][0]
    assert first["logprob"] <= 0
    assert len(first["top_logprobs"]) == 2


def test_its_models_are_listed(remote: RemoteInferenceEngine):
    assert remote.list_models() == [NAME]


def test_a_prompt_that_is_too_long_fails_alone(remote: RemoteInferenceEngine):
    [first, second, *_] = easy_questions()
    too_long = ask("What is the capital of France? " * CONTEXT)
    result = remote.infer_partial([first, too_long, second], tokens(32))
    assert result.rows == [0, 2]
    failure = result.failures[1]
    assert (failure.status_code, failure.attempts, failure.is_retryable) == (400, 1, False)
    assert "context" in failure.error_message
    assert "token" in failure.error_message
