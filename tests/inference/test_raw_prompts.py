"""Prompts that the model in the package is given as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams
from oumi.errors import ConfigError, ContextLengthError, RequestError
from oumi.inference import LlamaCppInferenceEngine
from tests.embedding.test_lists import without_template

QUESTION = "What is the capital of France?"


def raw(**fields: Any) -> InferenceConfig:
    fields = {"max_new_tokens": 20, **fields}
    return InferenceConfig(generation=GenerationParams(apply_chat_template=False, **fields))


def test_a_prompt_that_the_template_wrote_gives_the_same_answer(engine: LlamaCppInferenceEngine):
    prompt = engine.apply_chat_template(QUESTION)
    usual, found = engine.complete(QUESTION), engine.complete(prompt, raw())
    assert found.message.content == usual.message.content
    assert found.usage == usual.usage


def test_a_text_goes_on_whole_and_streamed(engine: LlamaCppInferenceEngine):
    whole = engine.complete("The capital of France", raw()).message.content
    parts = [delta.content for delta in engine.stream("The capital of France", raw())]
    assert whole == "".join(parts) == " is Paris."


def test_a_model_without_a_template(tmp_path: Path):
    model = ModelParams(model_name=str(without_template(tmp_path / "base.gguf")))
    with pytest.raises(ConfigError, match=r"no chat template.*generation\.apply_chat_template"):
        LlamaCppInferenceEngine(model)
    generation = raw().generation
    with LlamaCppInferenceEngine(model, generation_params=generation) as base:
        assert base.infer(["The capital of France"])[0].messages[-1].content == " is Paris."
        templated = InferenceConfig(generation=GenerationParams(apply_chat_template=True))
        with pytest.raises(ConfigError, match="has no chat template"):
            base.infer(["Hello"] * 20, templated)


def test_markers_of_thoughts_and_calls_are_text(engine: LlamaCppInferenceEngine):
    """Where the prompt ends with one, the answer is what follows, without it."""
    message = engine.complete("The capital of France is Paris.<think>", raw()).message
    assert message.reasoning_content is None
    assert not message.content.startswith("<think>")


def test_a_choice_is_kept_to(engine: LlamaCppInferenceEngine):
    config = raw(guided_decoding={"choice": [" is Rome.", " is Oslo."]})
    assert engine.complete("The capital of France", config).message.content in (
        " is Rome.",
        " is Oslo.",
    )


def test_what_is_no_prompt(engine: LlamaCppInferenceEngine):
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": QUESTION}]
    with pytest.raises(RequestError, match="is one message of the user, of text alone"):
        engine.complete(talk, raw())
    begun = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "The"}]
    with pytest.raises(RequestError, match="is one message of the user"):
        engine.complete(begun, raw(continue_final_message=True))
    with pytest.raises(ContextLengthError, match="does not fit"):
        engine.complete("word " * 3000, raw())


def test_a_long_prompt_is_cut_where_that_is_asked_for(engine: LlamaCppInferenceEngine):
    found = engine.complete("word " * 3000, raw(truncate_prompt="left"))
    assert 1500 < found.usage.prompt_tokens < 2048
