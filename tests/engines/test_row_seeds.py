"""Seeds of single rows, which each engine is sent with its request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.inference import InferenceEngine, LlamaCppInferenceEngine
from tests.conftest import answers

SEEDS = [1, 2, 1, 3, None, 2]


@pytest.fixture(params=["llamacpp", "native", "vllm"])
def engine(request: pytest.FixtureRequest) -> Iterator[InferenceEngine]:
    if request.param == "llamacpp":
        with LlamaCppInferenceEngine() as loaded:
            yield loaded
    else:
        pytest.importorskip("torch" if request.param == "native" else "vllm")
        yield request.getfixturevalue(request.param)


def test_equal_seeds_give_equal_answers(engine: InferenceEngine, tmp_path: Path):
    path = tmp_path / "in.jsonl"
    question = "Name ten animals."
    path.write_text("\n".join(json.dumps({"prompt": question, "seed": seed}) for seed in SEEDS))
    generation = GenerationParams(max_new_tokens=6, temperature=2.0, seed=3)
    found = answers(
        engine.infer(inference_config=InferenceConfig(generation=generation, input_path=str(path)))
    )
    by_seed = dict(zip([seed or 3 for seed in SEEDS], found, strict=True))
    assert found == [by_seed[seed or 3] for seed in SEEDS]  # a row without one has the run's
    assert len(set(by_seed.values())) > 1
