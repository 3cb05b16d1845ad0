"""The corpus and the hostile schemas on the engine that comes with the package."""

from __future__ import annotations

import asyncio
import json

import pytest

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.inference import LlamaCppInferenceEngine
from oumi.structured.sampler.grammar import to_lark
from oumi.structured.validate import make_validator
from tests.conftest import ask
from tests.structured.corpus import CORPUS
from tests.structured.coverage import Covered, assert_covered, cover, table
from tests.structured.hostile import HARMLESS, TOO_LARGE_FOR_A_SAMPLER
from tests.structured.pieces import INT


def asked_for(schema: dict) -> InferenceConfig:
    guided = GuidedDecodingParams(json=schema, max_repairs=0)
    return InferenceConfig(generation=GenerationParams(max_new_tokens=16, guided_decoding=guided))


@pytest.mark.slow
def test_each_schema_is_kept_or_refused_by_name(engine: LlamaCppInferenceEngine):
    covered = asyncio.run(cover(engine))
    assert_covered(covered)
    outcomes = [row.outcome for row in covered]
    assert len(covered) == len(CORPUS) >= 300
    assert outcomes.count("refused") <= 3, table({"LLAMACPP": covered})
    assert outcomes.count("valid") >= 330, table({"LLAMACPP": covered})


def test_the_table_counts_what_became_of_each():
    rows = [Covered("a", "valid"), Covered("b", "refused", "why"), Covered("c", "cut off")]
    shown = table({"X": rows})
    assert "| X | 3 | 2 | 1 | 1 | 0 | 0 | 1 |" in shown
    assert "X refused: b: why" in shown


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", [*HARMLESS, *TOO_LARGE_FOR_A_SAMPLER])
def test_an_odd_schema_ends_as_an_answer_or_with_the_reason(engine, name: str):
    schema = (HARMLESS | TOO_LARGE_FOR_A_SAMPLER)[name]
    result = engine.infer_partial([ask("Hi")], asked_for(schema))
    for message in result.error_messages.values():
        assert "cut off" in message or name in TOO_LARGE_FOR_A_SAMPLER
    for conversation in result.conversations:
        json.loads(conversation.messages[-1].content)
    assert len(result.rows) + len(result.failures) == 1


def test_a_limit_that_no_answer_reaches_is_left_to_the_check():
    for most, counted in ((10**9, False), (3, True)):
        guided = GuidedDecodingParams(json={"type": "array", "items": INT, "maxItems": most})
        assert ("maxItems" in to_lark(guided)) is counted
        problem = make_validator(guided)("[1, 1, 1, 1]").problem
        assert (problem is not None) is counted
