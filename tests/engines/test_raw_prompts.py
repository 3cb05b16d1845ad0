"""Prompts as they are, on the runtimes that may not be installed elsewhere."""

from __future__ import annotations

import pytest

from oumi.errors import InferenceError
from oumi.inference import InferenceEngine, LlamaCppInferenceEngine
from tests.conftest import answers
from tests.inference.test_raw_prompts import raw

PROMPTS = [
    "The capital of France",
    "2 plus 2",
    "<|im_start|>user\nWhat is 2 plus 3?<|im_end|>\n<|im_start|>assistant\n",
]


@pytest.fixture(params=["native", "vllm"])
def heavy(request: pytest.FixtureRequest) -> InferenceEngine:
    pytest.importorskip({"native": "transformers", "vllm": "vllm"}[request.param])
    return request.getfixturevalue(request.param)


def test_the_texts_are_those_of_llama_cpp(heavy: InferenceEngine):
    with LlamaCppInferenceEngine() as other:
        expected = other.infer(PROMPTS, raw())
    found = heavy.infer(PROMPTS, raw())
    assert answers(found) == answers(expected)
    tokens = [
        [row.metadata["usage"]["prompt_tokens"] for row in rows] for rows in (found, expected)
    ]
    assert tokens[0] == tokens[1]


def test_a_stream_says_the_same(heavy: InferenceEngine):
    parts = [delta.content for delta in heavy.stream(PROMPTS[0], raw())]
    assert "".join(parts) == heavy.complete(PROMPTS[0], raw()).message.content


def test_what_is_no_prompt(heavy: InferenceEngine):
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
    with pytest.raises(InferenceError, match="is one message of the user"):
        heavy.infer([talk], raw())
