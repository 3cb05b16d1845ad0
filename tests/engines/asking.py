"""Short ways to ask an engine."""

from __future__ import annotations

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import BatchStatus, Conversation
from oumi.inference import InferenceEngine
from oumi.models import TINY
from tests.batch.local import folder_of_job, is_free, wait_until
from tests.conftest import answers, ask


def generation(**fields: object) -> InferenceConfig:
    """Settings for short answers."""
    return InferenceConfig(generation=GenerationParams(**{"max_new_tokens": 32, **fields}))


def text(engine: InferenceEngine, question: str, **fields: object) -> str:
    """The answer to one question."""
    return answers(engine.infer([ask(question)], generation(**fields)))[0]


def batch_answers(engine: InferenceEngine, rows: list[Conversation]) -> list[str]:
    """The answers of a batch job, whose own process loads the model once more and goes away."""
    batch_id = engine.infer_batch(rows, generation())
    info = engine.wait_for_batch(batch_id, timeout_s=250)
    assert info.status is BatchStatus.COMPLETED, info.errors
    wait_until(lambda: is_free(folder_of_job(batch_id)))
    return answers(engine.get_batch_results(batch_id, rows))


def token(word: str) -> int:
    """The id of a word that is one token of oumi-tiny."""
    from transformers import AutoTokenizer

    [number] = AutoTokenizer.from_pretrained(TINY / "hf").encode(word)
    return number
