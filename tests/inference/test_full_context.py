"""A context that is full: said as such, and prompts cut where that is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from oumi.backends.local.truncation import shortened
from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig, ModelParams
from oumi.core.types import Conversation, Message, Role
from oumi.errors import RequestError
from oumi.inference import LlamaCppInferenceEngine
from oumi.runner.request import Request
from tests.conftest import ask

CONTEXT = 256


@pytest.fixture(scope="module")
def narrow() -> Iterator[LlamaCppInferenceEngine]:
    kwargs = {"n_parallel": 1, "n_threads": 1}
    with LlamaCppInferenceEngine(ModelParams(model_max_length=CONTEXT, model_kwargs=kwargs)) as one:
        yield one


def settings(**fields: object) -> InferenceConfig:
    return InferenceConfig(generation=GenerationParams(**{"max_new_tokens": 32, **fields}))


def numbers(count: int) -> str:
    return " ".join(map(str, range(count)))


def test_a_prompt_that_does_not_fit_says_how_long_it_is(narrow):
    result = narrow.infer_partial([ask(numbers(500))], settings())
    reason = result.error_messages[0]
    assert f"does not fit into the context of {CONTEXT}" in reason
    assert "generation.truncate_prompt" in reason


def test_an_answer_that_fills_the_context_is_not_asked_again(narrow):
    guided, before = GuidedDecodingParams(regex="[a-z]{2000}"), narrow.asked
    config = settings(max_new_tokens=500, guided_decoding=guided, temperature=2.0, seed=1)
    result = narrow.infer_partial([ask(numbers(50))], config)
    reason = result.error_messages[0]
    assert re.search(r"cut off after \d+ tokens: the context is full, of which the prompt", reason)
    assert narrow.asked == before + 1


@pytest.mark.parametrize("side", ["left", "right", "middle"])
def test_the_longest_message_is_cut(narrow, side: str):
    row = Conversation(
        messages=[
            Message(role=Role.SYSTEM, content="Be brief."),
            Message(role=Role.USER, content=numbers(2_000)),
        ]
    )
    [done] = narrow.infer([row], settings(truncate_prompt=side))
    usage = done.metadata["usage"]
    assert CONTEXT - 32 - 60 < usage["prompt_tokens"] <= CONTEXT - 32
    assert done.messages[:2] == row.messages, "the row itself stays whole"


def test_what_fits_is_not_cut(narrow):
    row = ask("What is the capital of France?")
    [whole], [allowed] = (
        narrow.infer([row], settings(truncate_prompt=side)) for side in (None, "middle")
    )
    assert whole.messages == allowed.messages
    assert whole.metadata["usage"] == allowed.metadata["usage"]


@pytest.mark.parametrize(
    ("side", "kept"), [("left", "g" * 32), ("right", "a" * 32), ("middle", "a" * 16 + "g" * 16)]
)
def test_which_part_is_kept(side: str, kept: str):
    request = Request(ask("a" * 48 + "g" * 48), settings(truncate_prompt=side))
    cut = shortened(request, prompt_tokens=96, context_length=64)
    assert cut.conversation.messages[0].content == kept
    assert shortened(request, prompt_tokens=32, context_length=64) is None


def test_where_nothing_is_left_to_cut_the_row_fails():
    request = Request(ask(""), settings(truncate_prompt="left"))
    with pytest.raises(RequestError, match="the prompt of 96 tokens does not fit"):
        shortened(request, prompt_tokens=96, context_length=64)
