"""Templates that open the thought themselves, on LLAMACPP: forms, tools, budgets, streams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oumi.core.configs import GuidedDecodingParams, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.errors import UnsupportedError
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import ask
from tests.inference.test_llama_cpp import generation
from tests.shapes import PRODUCT, WEATHER, assert_product

TURNS = (
    "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}{% endfor %}"
    "<tool_call></tool_call><|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.reasoning_content and m.role == 'assistant' %}({{ m.reasoning_content }}) {% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}"
)
OPENS = TURNS + (
    "<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n"
    "{% else %}<think>\n{% endif %}"
)
ALWAYS_OPENS = TURNS + "<|im_start|>assistant\n<think>\n"
QUESTION = ask("What is the capital of France?")
FORM = GuidedDecodingParams(choice=["Paris", "Rome"], max_repairs=0)


def load(template: str) -> LlamaCppInferenceEngine:
    kwargs = {"n_parallel": 2, "n_threads": 1}
    return LlamaCppInferenceEngine(ModelParams(chat_template=template, model_kwargs=kwargs))


@pytest.fixture(scope="module")
def thinker() -> Iterator[LlamaCppInferenceEngine]:
    with load(OPENS) as engine:
        yield engine


def test_the_form_begins_where_the_thought_ends(thinker):
    [plain] = thinker.infer([QUESTION], generation(max_new_tokens=64))
    thought = plain.messages[-1].reasoning_content
    assert thought
    [done] = thinker.infer([QUESTION], generation(max_new_tokens=64, guided_decoding=FORM))
    assert done.messages[-1].content in ("Paris", "Rome")
    assert done.messages[-1].reasoning_content == thought
    assert done.metadata["structured"] == "native"
    usage = done.metadata["usage"]
    assert usage["prompt_tokens"] == plain.metadata["usage"]["prompt_tokens"]
    assert usage["reasoning_tokens"] == plain.metadata["usage"]["completion_tokens"]
    assert usage["completion_tokens"] > usage["reasoning_tokens"] + 1


def test_json_and_log_probabilities(thinker):
    guided = GuidedDecodingParams(json=PRODUCT)
    config = generation(max_new_tokens=120, guided_decoding=guided, logprobs=1)
    [done] = thinker.infer([QUESTION], config)
    assert_product(done)
    tokens = [entry["token"] for entry in done.metadata["logprobs"]["content"]]
    assert "".join(tokens).startswith(done.messages[-1].reasoning_content[:5])


def test_a_stream_shows_the_thought_and_then_the_answer(thinker):
    config = generation(max_new_tokens=64, guided_decoding=FORM)
    *pieces, last = thinker.stream(QUESTION, config)
    [done] = thinker.infer([QUESTION], config)
    assert "".join(piece.content for piece in pieces) == done.messages[-1].content
    thought = "".join(piece.reasoning_content for piece in pieces)
    assert thought == done.messages[-1].reasoning_content
    assert last.completion.usage.to_dict() == done.metadata["usage"]


def test_a_tool_that_has_to_be_called(thinker):
    row = ask("What is the weather in Paris?", tools=[WEATHER])
    [done] = thinker.infer([row], generation(max_new_tokens=120, tool_choice="required"))
    assert done.messages[-1].reasoning_content
    [call, *_] = done.messages[-1].tool_calls
    assert call.function.get_arguments_dict().keys() >= {"city"}


@pytest.mark.parametrize("guided", [None, FORM])
def test_a_thought_is_closed_at_its_budget(thinker, guided: GuidedDecodingParams | None):
    config = generation(max_new_tokens=40, guided_decoding=guided, max_thinking_tokens=3)
    [done] = thinker.infer([QUESTION], config)
    assert done.metadata["usage"]["reasoning_tokens"] == 3
    assert done.messages[-1].content
    assert done.messages[-1].reasoning_content


def test_a_thought_without_an_end_leaves_nothing_for_the_answer(thinker):
    guided = GuidedDecodingParams(choice=["Paris", "Rome"], max_repairs=0)
    result = thinker.infer_partial([QUESTION], generation(max_new_tokens=3, guided_decoding=guided))
    assert "cut off after 3 tokens: raise max_new_tokens" in result.error_messages[0]


@pytest.mark.parametrize("template", [OPENS, ALWAYS_OPENS])
def test_thinking_can_be_switched_off(template: str):
    with load(template) as engine:
        for fields in ({"enable_thinking": False}, {"max_thinking_tokens": 0}):
            [done] = engine.infer([QUESTION], generation(guided_decoding=FORM, **fields))
            assert done.messages[-1].content in ("Paris", "Rome")
            assert not done.messages[-1].reasoning_content
            [done] = engine.infer([QUESTION], generation(**fields))
            assert done.messages[-1].content
            assert not done.messages[-1].reasoning_content


def test_thoughts_of_the_history_reach_a_template_that_asks_for_them(thinker):
    def prompt_tokens(thought: str | None) -> int:
        answer = Message(role=Role.ASSISTANT, content="Hi", reasoning_content=thought)
        row = Conversation(messages=[*QUESTION.messages, answer, *QUESTION.messages])
        [done] = thinker.infer([row], generation(max_new_tokens=1))
        return done.metadata["usage"]["prompt_tokens"]

    assert prompt_tokens("Let me see.") > prompt_tokens(None) + 2


@pytest.mark.parametrize("fields", [{"enable_thinking": True}, {"reasoning_effort": "low"}])
def test_thinking_that_a_template_knows_nothing_of_is_refused(engine, fields: dict):
    with pytest.raises(UnsupportedError, match="chat template"):
        engine.infer([QUESTION], generation(**fields))


def test_an_effort_reaches_the_template():
    template = "{% if reasoning_effort is defined %}<|im_start|>system\n{{ reasoning_effort }}"
    template += "<|im_end|>\n{% endif %}" + TURNS + "<|im_start|>assistant\n"
    with load(template) as engine:
        plain, low = (
            engine.infer([QUESTION], generation(**fields))[0].metadata["usage"]["prompt_tokens"]
            for fields in ({}, {"reasoning_effort": "low"})
        )
    assert low > plain
