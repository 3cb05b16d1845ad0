"""Types of every kind as the form of answers."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import TypeAdapter

from oumi.core.types import Conversation
from oumi.inference import InferenceEngine
from tests.conftest import ask
from tests.structured.python_types import BEYOND, SAMPLES
from tests.structured.test_python_types import settings

# LLAMACPP is asked for all of them: the schemas and the checks are the same.
FORMS = [sample.type for kind, sample in SAMPLES.items() if kind != BEYOND][::3]


async def ask_for_each(engine: InferenceEngine) -> list[Conversation]:
    """All at once, so that they share the steps of the model."""
    calls = [engine.ainfer([ask("Give one.")], settings(form)) for form in FORMS]
    return [answer for [answer] in await asyncio.gather(*calls)]


@pytest.mark.parametrize(("name", "runtime"), [("native", "torch"), ("vllm", "vllm")])
def test_samplers_write_each_type(request: pytest.FixtureRequest, name: str, runtime: str):
    pytest.importorskip(runtime)
    answers = asyncio.run(ask_for_each(request.getfixturevalue(name)))
    for form, answer in zip(FORMS, answers, strict=True):
        value = TypeAdapter(form).validate_json(answer.messages[-1].content)
        assert answer.parsed() == value
        assert type(answer.parsed()) is type(value)
