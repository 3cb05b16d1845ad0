"""Remote engines against vLLM's own server, with oumi-tiny on the CPU."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from oumi.core.configs import (
    GenerationParams,
    GuidedDecodingParams,
    InferenceConfig,
    ModelParams,
    RemoteParams,
)
from oumi.core.types import Conversation, FinishReason, Message, Role
from oumi.errors import ModelNotFoundError
from oumi.inference import (
    LlamaCppInferenceEngine,
    RemoteInferenceEngine,
    RemoteVLLMInferenceEngine,
)
from oumi.models import TINY
from tests.conftest import answers, ask, sums
from tests.engines.vllm_server import MODEL, VllmServer
from tests.shapes import WEATHER

if importlib.util.find_spec("vllm") is None:
    pytest.skip("vLLM is not installed; `make test-engines` does it", allow_module_level=True)

# A server takes up to a minute to start. The signal, unlike the thread, lets fixtures end it.
pytestmark = pytest.mark.timeout(600, method="signal")

QUESTIONS = [ask("Hello!"), ask("What is the capital of France?"), ask("Name three colours.")]
ROWS = [*QUESTIONS, *sums(17)]


class Person(BaseModel):
    """What the model would never answer by itself."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=10)
    age: int = Field(ge=0, le=120)
    colours: list[Literal["red", "green", "blue"]] = Field(max_length=3)


def settings(model: dict[str, Any] | None = None, **generation: Any) -> InferenceConfig:
    return InferenceConfig(
        model=ModelParams(model_name=MODEL, **(model or {})),
        generation=GenerationParams(**{"max_new_tokens": 32, **generation}),
    )


def connect(kind: type[RemoteInferenceEngine], server: VllmServer) -> RemoteInferenceEngine:
    remote = RemoteParams(api_url=server.url, num_workers=20)
    return kind(ModelParams(model_name=MODEL), remote_params=remote)


@pytest.fixture
def remote(server: VllmServer) -> Iterator[RemoteInferenceEngine]:
    with connect(RemoteVLLMInferenceEngine, server) as engine:
        yield engine


@pytest.fixture
def plain_remote(plain_server: VllmServer) -> Iterator[RemoteInferenceEngine]:
    with connect(RemoteVLLMInferenceEngine, plain_server) as engine:
        yield engine


def answer(engine: RemoteInferenceEngine, **changes: Any) -> list[str]:
    return answers(engine.infer(ROWS, settings(**changes)))


def test_models_are_listed(remote: RemoteInferenceEngine):
    assert remote.list_models() == [MODEL, "shift"]


def test_greedy_answers_are_those_of_llama_cpp(
    remote: RemoteInferenceEngine, engine: LlamaCppInferenceEngine
):
    theirs = answers(engine.infer(ROWS, settings()))
    differ = [pair for pair in zip(answer(remote), theirs, strict=True) if pair[0] != pair[1]]
    assert len(differ) <= 2, differ  # float16 weights beside float32 sums: near ties may flip
    assert "The capital of France is Paris." in theirs


def test_usage_and_finish_reason(remote: RemoteInferenceEngine):
    done = remote.infer(QUESTIONS, settings(max_new_tokens=3))
    assert {row.metadata["finish_reason"] for row in done} == {FinishReason.LENGTH}
    assert {row.metadata["usage"]["completion_tokens"] for row in done} == {3}
    assert min(row.metadata["usage"]["prompt_tokens"] for row in done) > 0


def test_streaming_gives_what_infer_gives(remote: RemoteInferenceEngine):
    for conversation in ROWS[:6]:
        [whole] = remote.infer([conversation], settings())
        *pieces, last = remote.stream(conversation, settings())
        assert len(pieces) > 1
        assert "".join(piece.content for piece in pieces) == whole.messages[-1].content
        assert last.completion.message == whole.messages[-1]
        assert last.completion.finish_reason == whole.metadata["finish_reason"]
        assert last.completion.usage.to_dict() == whole.metadata["usage"]


def fits_person(text: str) -> bool:
    Person.model_validate_json(text)
    return True


def fits(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text) is not None


SMALL_REGEX = r"[A-Z][a-z]{2,8} \d{3}"
GBNF = 'root ::= "yes " number | "no"\nnumber ::= [0-9] [0-9]? [0-9]?'
LARK = 'start: "yes " NUMBER | "no"\nNUMBER: /[0-9]{1,3}/'
CONSTRAINTS = [
    pytest.param({"regex": SMALL_REGEX}, fits(SMALL_REGEX), id="regex"),
    pytest.param({"choice": ["crimson", "teal"]}, fits("crimson|teal"), id="choice"),
    pytest.param({"grammar": GBNF}, fits(r"yes \d{1,3}|no"), id="gbnf"),
    pytest.param({"grammar": LARK}, fits(r"yes \d{1,3}|no"), id="lark"),
]
SCHEMA = pytest.param({"json": Person}, fits_person, id="json")


@pytest.mark.parametrize(("form", "fit"), [SCHEMA, *CONSTRAINTS])
def test_constrained_answers_fit(remote: RemoteInferenceEngine, form, fit):
    guided = GuidedDecodingParams(**form)
    texts = answer(remote, temperature=1.0, max_new_tokens=128, guided_decoding=guided)
    assert [text for text in texts if not fit(text)] == []


@pytest.mark.parametrize(("form", "fit"), CONSTRAINTS)
def test_constrained_answers_fit_with_servers_choice_of_backend(plain_remote, form, fit):
    guided = GuidedDecodingParams(**form)
    texts = answer(plain_remote, temperature=1.0, max_new_tokens=64, guided_decoding=guided)
    assert [text for text in texts if not fit(text)] == []


def test_constrained_stream_fits(remote: RemoteInferenceEngine):
    config = settings(temperature=1.0, max_new_tokens=128, guided_decoding={"json": Person})
    for conversation in QUESTIONS:
        pieces = [piece.content for piece in remote.stream(conversation, config)]
        assert fits_person("".join(pieces))


def test_the_engine_for_any_server(server: VllmServer, remote: RemoteInferenceEngine):
    with connect(RemoteInferenceEngine, server) as engine:
        assert answer(engine) == answer(remote)
        guided = GuidedDecodingParams(json=Person)
        texts = answer(engine, temperature=1.0, max_new_tokens=128, guided_decoding=guided)
        assert all(fits_person(text) for text in texts)


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"min_p": 1.0}, {"top_p": 1e-6}], ids=str)
def test_sampling_settings_arrive(remote: RemoteInferenceEngine, narrow: dict[str, Any]):
    greedy = answer(remote)
    assert answer(remote, temperature=2.0, **narrow) == greedy
    assert answer(remote, temperature=2.0) != greedy


def test_a_seed_gives_the_same_answers(remote: RemoteInferenceEngine):
    hot = {"temperature": 1.5, "seed": 7}
    assert answer(remote, **hot) == answer(remote, **hot)


def test_stops(remote: RemoteInferenceEngine):
    vocabulary = json.loads((TINY / "hf" / "tokenizer.json").read_text())["model"]["vocab"]
    paris = QUESTIONS[1:2]
    by_id = remote.infer(paris, settings(stop_token_ids=[vocabulary["."]]))
    assert answers(by_id) == ["The capital of France is Paris"]
    by_text = remote.infer(paris, settings(stop_strings=[" of"]))
    assert answers(by_text) == ["The capital"]


def test_special_tokens_are_kept_where_asked(remote: RemoteInferenceEngine):
    start = {"logit_bias": {1: 100.0}, "max_new_tokens": 2}
    assert answers(remote.infer(QUESTIONS[:1], settings(**start))) == [""]
    kept = remote.infer(QUESTIONS[:1], settings(**start, skip_special_tokens=False))
    assert answers(kept) == ["<|im_start|>" * 2]


def test_logprobs(remote: RemoteInferenceEngine):
    [done] = remote.infer(QUESTIONS[:1], settings(logprobs=3))
    tokens = done.metadata["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens).startswith(done.messages[-1].content)
    assert all(token["logprob"] <= 0 and len(token["top_logprobs"]) == 3 for token in tokens)


def test_a_chat_template_and_vllms_own_settings(remote: RemoteInferenceEngine):
    question = "{{ messages[0].content }} {{ number }}?"
    template = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
    model = {
        "chat_template": template,
        "chat_template_kwargs": {"number": "1"},
        "model_kwargs": {"min_tokens": 20},
    }
    [done] = remote.infer([ask("What is 1 plus")], settings(model, max_new_tokens=20))
    assert "1 + 1 = 2" in done.messages[-1].content
    assert done.metadata["usage"]["completion_tokens"] == 20


def weather(**fields: Any) -> Conversation:
    return ask("What is the weather in Paris?", tools=[WEATHER], **fields)


def called(message: Message) -> tuple[str, Any]:
    [call] = message.tool_calls or []
    return call.function.name, json.loads(call.function.arguments)


def test_a_tool_is_called_and_its_answer_taken(remote: RemoteInferenceEngine):
    [done] = remote.infer([weather()], settings())
    assert called(done.messages[-1]) == ("get_weather", {"city": "Paris"})
    assert done.metadata["finish_reason"] == FinishReason.TOOL_CALLS
    last = list(remote.stream(weather(), settings()))[-1].completion
    assert called(last.message) == ("get_weather", {"city": "Paris"})
    assert last.finish_reason == FinishReason.TOOL_CALLS

    result = Message(
        role=Role.TOOL,
        content='{"weather": "sunny"}',
        tool_call_id=done.messages[-1].tool_calls[0].id,
    )
    more = done.model_copy(update={"messages": [*done.messages, result]})
    [end] = remote.infer([more], settings(tool_choice="none"))
    assert end.messages[-1].content


# Only with vLLM's own choice of backend: 0.32 cannot force a call with the guidance backend.
@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "get_weather"}}], ids=str
)
def test_a_forced_call(plain_remote: RemoteInferenceEngine, choice: Any):
    rows = [weather(), ask("Hello!", tools=[WEATHER])]
    for done in plain_remote.infer(rows, settings(tool_choice=choice, max_new_tokens=100)):
        name, arguments = called(done.messages[-1])
        assert name == "get_weather"
        assert isinstance(arguments, dict)


def test_an_adapter_by_its_name(remote: RemoteInferenceEngine):
    base = answer(remote)
    shifted = answer(remote, model={"adapter_model": "shift"})
    assert sum(a != b for a, b in zip(base, shifted, strict=True)) > 10
    assert answer(remote) == base
    with pytest.raises(ModelNotFoundError, match="other"):
        answer(remote, model={"adapter_model": "other"})


def test_a_prompt_that_is_too_long_fails_alone(remote: RemoteInferenceEngine):
    rows = [QUESTIONS[0], ask("word " * 5000), QUESTIONS[1]]
    result = remote.infer_partial(rows, settings())
    assert list(result.rows) == [0, 2]
    failure = result.failures[1]
    assert (failure.status_code, failure.is_retryable, failure.attempts) == (400, False, 1)
    assert "maximum context length is 2048" in failure.error_message


def test_an_unknown_model_stops_the_run(remote: RemoteInferenceEngine, server: VllmServer):
    before = server.count_refused()
    config = InferenceConfig(model=ModelParams(model_name="other"))
    with pytest.raises(ModelNotFoundError, match=r"other.*model\.model_name"):
        remote.infer(sums(500), config)
    assert 1 <= server.count_refused() - before <= 40
