"""Several samples a row in batch jobs: each is a line of its own."""

from __future__ import annotations

import json

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig
from oumi.core.types import Conversation
from oumi.errors import InputError
from oumi.inference import InferenceEngine, OpenAIInferenceEngine
from tests.batch.api import finish, rows
from tests.batch.local import remote_engine
from tests.conftest import answers
from tests.fault_server import FaultServer

THREE = InferenceConfig(generation=GenerationParams(num_samples=3, temperature=1.0, seed=7))
EXPECTED = [f"answer to row-{row}" for row in range(2) for _ in range(3)]


def check_results(engine: InferenceEngine, batch_id: str, given: list[Conversation]) -> None:
    for conversations, config in ((given, THREE), (None, None)):
        found = engine.get_batch_results(batch_id, conversations, config)
        assert answers(found) == EXPECTED
        assert [c.metadata["sample"] for c in found] == [0, 1, 2] * 2
        assert [c.conversation_id for c in found] == ["id-0"] * 3 + ["id-1"] * 3


def test_an_api_is_sent_a_line_a_sample(server: FaultServer, openai: OpenAIInferenceEngine):
    given = rows(2)
    batch_id = openai.infer_batch(given, THREE)
    assert openai.infer_batch(given, THREE) == batch_id
    upload = next(seen for seen in server.stats()["last"] if seen["path"] == "/v1/files")
    lines = [json.loads(one) for one in upload["body"].splitlines() if one.startswith('{"custom')]
    assert len({line["custom_id"] for line in lines}) == 6
    seeds = [line["body"]["seed"] for line in lines]
    assert (seeds[0], len(set(seeds)), seeds[:3]) == (7, 3, seeds[3:])
    finish(openai, batch_id)
    check_results(openai, batch_id, given)
    with pytest.raises(InputError, match="row 1 is not the conversation"):
        openai.get_batch_results(batch_id, given, InferenceConfig())


def test_a_job_on_this_machine_asks_for_each_sample(server: FaultServer):
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(given := rows(2), THREE)
        assert engine.wait_for_batch(batch_id, poll_interval_s=0.05).completed_requests == 6
        assert server.stats()["requests"] == 6
        check_results(engine, batch_id, given)
