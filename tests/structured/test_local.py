"""The same on this machine: the sampler enforces it, and what is cut off gets a larger budget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel, field_validator

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.errors import StructuredOutputError
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import ask
from tests.guide import ProductInfo

TEXT = "The new Nimbus kettle costs $45. It has a timer function and comes in red."


def settings(max_new_tokens: int, max_repairs: int = 1) -> InferenceConfig:
    guided = GuidedDecodingParams(json=ProductInfo, max_repairs=max_repairs)
    return InferenceConfig(
        generation=GenerationParams(max_new_tokens=max_new_tokens, guided_decoding=guided)
    )


def test_what_was_cut_off_is_asked_again_with_a_larger_budget(engine: LlamaCppInferenceEngine):
    question = ask(f"Extract product information as JSON from: {TEXT}")
    [whole] = engine.infer([question], settings(256))
    needed = whole.metadata["usage"]["completion_tokens"]

    before = engine.asked
    [conversation] = engine.infer([question], settings(needed - 5))
    assert engine.asked - before == 2
    assert conversation.parsed(ProductInfo).name == whole.parsed(ProductInfo).name
    assert conversation.metadata["structured"] == "native"
    assert conversation.metadata["usage"]["completion_tokens"] > needed - 5

    before = engine.asked
    result = engine.infer_partial([question], settings(5))
    assert engine.asked - before == 2
    assert "cut off after 10 tokens" in result.error_messages[0]
    assert result.failures[0].usage.completion_tokens == 15


def test_without_repairs_a_row_is_asked_once(engine: LlamaCppInferenceEngine):
    before = engine.asked
    result = engine.infer_partial([ask(TEXT)], settings(5, max_repairs=0))
    assert engine.asked - before == 1
    assert "cut off after 5 tokens: raise max_new_tokens" in result.error_messages[0]


class Loud(BaseModel):
    name: str

    @field_validator("name")
    @classmethod
    def _refuse(cls, name: str) -> str:
        raise ValueError("expected another one")


def test_a_model_that_repeats_itself_gets_another_seed(
    engine: LlamaCppInferenceEngine, tmp_path: Path
):
    guided = GuidedDecodingParams(json=Loud, max_repairs=4)
    config = InferenceConfig(
        generation=GenerationParams(max_new_tokens=64, guided_decoding=guided),
        output_path=str(tmp_path / "out.jsonl"),
    )

    result = engine.infer_partial([ask("Name a product.")], config)
    assert "/name: Value error, expected another one" in result.error_messages[0]
    records = map(json.loads, (tmp_path / "out.jsonl.journal").read_text().splitlines()[1:])
    record = [one["completion"] for one in records if "completion" in one][-1]
    found = [one["message"]["content"] for one in (*record["earlier"], record)]
    assert len(found) == 5
    assert len(set(found)) > 2  # without one, all answers to the same request are the same


def test_a_stream_that_is_cut_off_says_so(engine: LlamaCppInferenceEngine):
    pieces = []
    with pytest.raises(StructuredOutputError, match="cut off after 5 tokens"):
        pieces.extend(engine.stream(ask(TEXT), settings(5)))
    assert "".join(piece.content for piece in pieces)
