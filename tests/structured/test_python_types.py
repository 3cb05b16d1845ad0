"""Types of every kind, given as the form: each comes back as an object of it."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.inference import LlamaCppInferenceEngine
from tests.conftest import ask
from tests.fault_server import FaultServer
from tests.structured.python_types import BEYOND, SAMPLES
from tests.structured.scripts import engine as openai
from tests.structured.scripts import reply


def settings(form: object, **fields: object) -> InferenceConfig:
    guided = GuidedDecodingParams(json=form, max_repairs=2)
    return InferenceConfig(
        generation=GenerationParams(guided_decoding=guided, max_new_tokens=100, **fields)
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_an_api_answers_in_its_own_form(server: FaultServer, name: str):
    sample = SAMPLES[name]
    server.plan(scripts={"row-0": [reply(sample.as_sent)]})
    with openai(server) as opened:
        [answer] = opened.infer([ask("row-0")], settings(sample.type))
    assert answer.metadata["structured"] == "native"
    assert answer.parsed() == TypeAdapter(sample.type).validate_json(sample.text)


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != BEYOND])
def test_a_sampler_writes_it(engine: LlamaCppInferenceEngine, name: str):
    form = SAMPLES[name].type
    [answer] = engine.infer([ask("Give one.")], settings(form))
    value = TypeAdapter(form).validate_json(answer.messages[-1].content)
    assert answer.parsed() == value
    assert type(answer.parsed()) is type(value)
