"""Batches of OpenAI's API that end otherwise than well, or late."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from oumi.core.configs import GenerationParams, GuidedDecodingParams, InferenceConfig
from oumi.core.types import BatchStatus
from oumi.errors import InferenceError
from oumi.inference import OpenAIInferenceEngine
from tests.batch.api import expected, finish, kinds, rows, to
from tests.conftest import answers, ask
from tests.fault_server import FaultServer


def test_rows_that_fail_are_told_apart(server: FaultServer, openai: OpenAIInferenceEngine):
    timed_out = {"code": "request_timeout", "message": "The model timed out."}
    server.plan(batch={"rows": {"row-1": 400, "row-3": 500, "row-4": timed_out}})
    batch_id = openai.infer_batch(rows(6))
    finish(openai, batch_id)
    info = openai.get_batch_status(batch_id)
    assert (info.status, info.completed_requests, info.failed_requests) == ("completed", 3, 3)
    with pytest.raises(InferenceError, match="3 of 6 rows failed; row 1") as raised:
        openai.get_batch_results(batch_id, rows(6))
    result = raised.value.result
    assert result.rows == [0, 2, 5]
    assert answers(result.conversations) == expected(iter([0, 2, 5]))
    assert kinds(result) == {1: "ContextLengthError", 3: "UnavailableError", 4: "UnavailableError"}
    assert result.failures[1].status_code == 400
    assert "maximum context length" in result.failures[1].error_message
    assert [result.failures[row].is_retryable for row in (1, 3, 4)] == [False, True, True]
    again = openai.get_batch_results_partial(batch_id, rows(6))
    assert (again.rows, kinds(again)) == (result.rows, kinds(result))


def test_resubmit_sends_only_what_is_missing(server: FaultServer, openai: OpenAIInferenceEngine):
    server.plan(batch={"rows": {"row-1": 500, "row-3": 500}})
    batch_id = openai.infer_batch(rows(5))
    finish(openai, batch_id)
    server.move_batch(plan={"rows": {}})
    again = openai.resubmit_batch(batch_id)
    assert finish(openai, again) == BatchStatus.COMPLETED
    seen = server.batches()
    assert len(seen["batches"]) == 2
    assert seen["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1, "row-3": 2, "row-4": 1}
    for name in (batch_id, again):
        assert answers(openai.get_batch_results(name, rows(5))) == expected(range(5))
    info = openai.get_batch_status(again)
    assert (info.total_requests, info.completed_requests) == (5, 5)


def test_resubmit_of_a_whole_job_sends_nothing(server, openai: OpenAIInferenceEngine, caplog):
    batch_id = openai.infer_batch(rows(2))
    with pytest.raises(Exception, match="known once it has ended"):
        openai.resubmit_batch(batch_id)
    finish(openai, batch_id)
    assert openai.resubmit_batch(batch_id) == batch_id
    assert "lacks nothing" in caplog.text
    assert len(server.batches()["batches"]) == 1


@pytest.mark.parametrize("names_undone", [True, False])
def test_expired_with_half_done(server: FaultServer, openai, names_undone: bool):
    how = {"states": ["validating", "in_progress", "expired"], "done": 2}
    server.plan(batch={**how, "names_undone": names_undone})
    batch_id = openai.infer_batch(rows(4))
    assert finish(openai, batch_id) == BatchStatus.EXPIRED
    partial = openai.get_batch_results_partial(batch_id, rows(4))
    assert partial.rows == [0, 1]
    assert kinds(partial) == {2: "BatchExpired", 3: "BatchExpired"}
    assert partial.failures[2].is_retryable
    server.move_batch(plan={"states": ["completed"], "done": None})
    again = openai.infer_batch(rows(4))  # the same call submits anew what is missing
    assert finish(openai, again) == BatchStatus.COMPLETED
    assert answers(openai.get_batch_results(again, rows(4))) == expected(range(4))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 1, "row-2": 2, "row-3": 2}


def test_cancelled_with_partial_output(server: FaultServer, openai: OpenAIInferenceEngine):
    server.plan(batch={"done": 1})
    batch_id = openai.infer_batch(rows(3))
    info = openai.cancel_batch(batch_id)
    assert (info.status, info.provider_status) == ("cancelling", "cancelling")
    assert finish(openai, batch_id) == BatchStatus.CANCELLED
    partial = openai.get_batch_results_partial(batch_id, rows(3))
    assert partial.rows == [0]
    assert kinds(partial) == {1: "BatchCancelled", 2: "BatchCancelled"}
    assert openai.cancel_batch(batch_id).status == BatchStatus.CANCELLED


def test_a_batch_that_ended_before_it_could_be_cancelled(server, openai: OpenAIInferenceEngine):
    server.plan(batch={"hold": True})
    batch_id = openai.infer_batch(rows(2))
    openai.get_batch_status(batch_id)
    server.move_batch(id=batch_id, state="completed")
    assert openai.cancel_batch(batch_id).status == BatchStatus.COMPLETED
    assert answers(openai.get_batch_results(batch_id)) == expected(range(2))


def test_a_batch_that_failed(server: FaultServer, openai: OpenAIInferenceEngine):
    server.plan(batch={"states": ["validating", "failed"]})
    batch_id = openai.infer_batch(rows(2))
    assert finish(openai, batch_id) == BatchStatus.FAILED
    assert kinds(openai.get_batch_results_partial(batch_id)) == dict.fromkeys((0, 1), "BatchFailed")
    server.move_batch(plan={"states": ["completed"]})
    assert answers(openai.get_batch_results(openai.infer_batch(rows(2)))) == expected(range(2))


@pytest.mark.parametrize(
    "lag", [{"output_lag": 5}, {"content_lag": 2}, {"short": 1}, {"output_lag": 4, "short": 1}]
)
def test_output_that_lags_behind_is_waited_for(server: FaultServer, openai, lag, caplog):
    server.plan(batch={"states": ["completed"], **lag})
    with caplog.at_level(logging.WARNING):
        batch_id = openai.infer_batch(rows(4))
        assert answers(openai.get_batch_results(batch_id, rows(4))) == expected(range(4))
    assert "asking again" in caplog.text


def test_output_that_does_not_come(server: FaultServer, openai, caplog):
    server.plan(batch={"hold": True, "content_lag": 1000})
    batch_id = openai.infer_batch(rows(3))
    server.move_batch(id=batch_id, state="completed")
    partial = openai.get_batch_results_partial(batch_id, rows(3))
    assert kinds(partial) == dict.fromkeys(range(3), "BatchPending")
    assert "Ask again later" in caplog.text
    server.move_batch(plan={"content_lag": 0})
    assert answers(openai.get_batch_results(batch_id, rows(3))) == expected(range(3))


def test_a_row_that_cannot_be_sent_fails_alone(server: FaultServer, openai, tmp_path: Path):
    image = {"type": "image_path", "content": str(tmp_path / "none.png")}
    conversations = [rows(1)[0], ask([image]), rows(1, 2)[0]]
    batch_id = openai.infer_batch(conversations)
    finish(openai, batch_id)
    partial = openai.get_batch_results_partial(batch_id, conversations)
    assert partial.rows == [0, 2]
    assert kinds(partial) == {1: "InputError"}
    info = openai.get_batch_status(batch_id)
    assert (info.total_requests, info.completed_requests, info.failed_requests) == (3, 2, 1)


def test_answers_in_another_form_are_failures_that_resubmit_sends_again(server, openai, tmp_path):
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    config = InferenceConfig(
        generation=GenerationParams(guided_decoding=GuidedDecodingParams(json=schema))
    )
    batch_id = openai.infer_batch(rows(2), config)  # the server answers in plain text
    finish(openai, batch_id)
    partial = openai.get_batch_results_partial(batch_id, rows(2))
    assert kinds(partial) == dict.fromkeys((0, 1), "StructuredOutputError")
    assert partial.failures[0].reply == "answer to row-0", "it is paid for, and kept"
    assert kinds(openai.get_batch_results_partial(batch_id)) == kinds(partial)
    server.plan(message={"content": '```json\n{"n": 1}\n```'})  # forgets what it held
    again = openai.resubmit_batch(batch_id)
    finish(openai, again)
    [first, _] = openai.get_batch_results(again, rows(2))
    assert first.messages[-1].content == '{"n": 1}'
    [saved, _] = openai.get_batch_results(again, None, to(tmp_path / "out.jsonl"))
    assert saved.messages[-1] == first.messages[-1]
