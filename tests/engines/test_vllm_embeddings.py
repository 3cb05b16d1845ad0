"""Embeddings of vLLM, with the model in this package."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

pytest.importorskip("vllm")

from oumi.errors import InferenceError, RequestError, UnsupportedError
from oumi.inference import InferenceEngine, LlamaCppInferenceEngine, VLLMInferenceEngine
from tests.embedding.test_lists import likeness, settings
from tests.engines.conftest import vllm_params

TEXTS = ["What is 2 plus 2?", "What is 3 plus 3?", "The capital of France is Paris."]


@pytest.fixture(scope="module")
def embedder(vllm_environment: None) -> Iterator[InferenceEngine]:
    with VLLMInferenceEngine(vllm_params(model_kwargs={"runner": "pooling"})) as engine:
        yield engine


def test_vectors_are_those_of_llama_cpp(embedder: InferenceEngine):
    result = embedder.embed(TEXTS)
    assert [math.hypot(*one) for one in result.vectors] == pytest.approx([1, 1, 1], abs=1e-4)
    last = vllm_params(model_kwargs={"pooling_type": "last"}, torch_dtype="auto")
    last.model_kwargs.pop("enforce_eager")
    with LlamaCppInferenceEngine(last) as other:
        expected = other.embed(TEXTS)
    assert result.usage == expected.usage
    for one, same in zip(result.vectors, expected.vectors, strict=True):
        assert likeness(one, same) > 0.98  # its weights have fewer bits there


def test_texts_that_are_refused_fail_alone(embedder: InferenceEngine):
    with pytest.raises(InferenceError, match=r"1 of 50 rows failed; row 7: vLLM") as caught:
        embedder.embed([*TEXTS, *"abcd", "word " * 3000, *("efghij" * 7)])
    assert len(caught.value.result.vectors) == 49


def test_a_model_that_cannot_make_shorter_vectors(embedder: InferenceEngine):
    with pytest.raises(InferenceError, match="Matryoshka"):
        embedder.embed(["a"] * 20, settings(dimensions=8))


def test_an_engine_embeds_or_answers(embedder: InferenceEngine, vllm: InferenceEngine):
    with pytest.raises(RequestError, match="it generates no text"):
        embedder.complete("Hello")
    with pytest.raises(UnsupportedError, match=r"model_kwargs\.runner to pooling"):
        vllm.embed("Hello")
