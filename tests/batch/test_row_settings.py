"""Settings that rows bring along, in a batch of an API: sent in the line of their row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import InputError
from oumi.inference import OpenAIInferenceEngine
from tests.batch.api import expected, finish, folders, kinds
from tests.conftest import answers
from tests.fault_server import FaultServer

SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


def lines(server: FaultServer) -> list[dict[str, Any]]:
    """The bodies of the lines that were uploaded last, in their order."""
    uploads = [s for s in server.stats()["last"] if s["path"] == "/v1/files" and s["body"]]
    return [json.loads(t)["body"] for t in uploads[-1]["body"].splitlines() if t[:1] == "{"]


def test_they_reach_the_line(server: FaultServer, openai: OpenAIInferenceEngine):
    rows = [
        {"prompt": "row-0", "temperature": 0.25, "max_new_tokens": 7, "seed": 1},
        {"prompt": "row-1", "temperature": None, "max_new_tokens": None, "seed": None},
    ]
    batch_id = openai.infer_batch(rows)
    own, other = lines(server)
    assert [own[name] for name in ("temperature", "max_tokens", "seed")] == [0.25, 7, 1]
    assert (other["temperature"], "seed" in other) == (0.0, False)
    assert openai.infer_batch(rows) == batch_id, "the same rows are the same job"
    finish(openai, batch_id)
    assert answers(openai.get_batch_results(batch_id)) == expected(range(2))
    assert answers(openai.get_batch_results(batch_id, rows)) == expected(range(2))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 1}


def test_other_settings_are_another_job(server: FaultServer, openai: OpenAIInferenceEngine):
    first = openai.infer_batch([{"prompt": "row-0", "seed": 1}])
    second = openai.infer_batch([{"prompt": "row-0", "seed": 2}])
    assert first != second
    assert len(folders()) == 2
    finish(openai, first)
    with pytest.raises(InputError, match="row 0 is not the conversation that was submitted"):
        openai.get_batch_results(first, [{"prompt": "row-0", "seed": 2}])


def test_a_row_whose_settings_are_not_taken_fails_alone(server: FaultServer, openai):
    rows = [{"prompt": "row-0", "how": {"top_k": 4}}, {"prompt": "row-1", "how": None}]
    batch_id = openai.infer_batch(rows, InferenceConfig(settings_column="how"))
    assert finish(openai, batch_id) == BatchStatus.COMPLETED
    result = openai.get_batch_results_partial(batch_id)
    assert (result.rows, kinds(result)) == ([1], {0: "UnsupportedError"})
    assert "OPENAI cannot honour generation.top_k" in result.failures[0].error_message


def test_each_answer_has_the_schema_of_its_row(server: FaultServer, openai):
    server.plan(message={"content": '{"n": 1}'})
    rows = [{"prompt": "row-0", "schema": SCHEMA}, {"prompt": "row-1", "schema": None}]
    batch_id = openai.infer_batch(rows)
    sent, plain = lines(server)
    assert sent["response_format"]["json_schema"]["schema"]["properties"] == SCHEMA["properties"]
    assert "response_format" not in plain
    finish(openai, batch_id)
    first, second = openai.get_batch_results(batch_id)
    assert first.metadata["structured"] == "native"
    assert "structured" not in second.metadata


def test_an_answer_that_breaks_the_schema_of_its_row_fails(server: FaultServer, openai):
    batch_id = openai.infer_batch(
        [{"prompt": "row-0", "schema": SCHEMA}, {"prompt": "row-1", "schema": None}]
    )
    finish(openai, batch_id)
    result = openai.get_batch_results_partial(batch_id)
    assert (result.rows, kinds(result)) == ([1], {0: "StructuredOutputError"})
