"""Short ways to ask an engine."""

from __future__ import annotations

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.inference import InferenceEngine
from tests.conftest import answers, ask


def generation(**fields: object) -> InferenceConfig:
    """Settings for short answers."""
    return InferenceConfig(generation=GenerationParams(**{"max_new_tokens": 32, **fields}))


def text(engine: InferenceEngine, question: str, **fields: object) -> str:
    """The answer to one question."""
    return answers(engine.infer([ask(question)], generation(**fields)))[0]
