"""Batches that their provider no longer knows, and jobs that are submitted once more on purpose."""

from __future__ import annotations

import pytest

from oumi.errors import InputError
from oumi.inference import InferenceEngine
from tests.batch.api import ThreeAtOnce, expected, finish, folders, kinds, make, rows, to
from tests.batch.test_bad_lines import APIS, at
from tests.conftest import answers
from tests.fault_server import FaultServer


@pytest.fixture(params=APIS)
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("FIREWORKS_ACCOUNT_ID", raising=False)
    return request.param


def ended(server: FaultServer, engine: InferenceEngine, count: int = 3) -> str:
    """A job that has ended, of which nothing was collected."""
    batch_id = engine.infer_batch(rows(count))
    finish(engine, batch_id)
    return batch_id


@pytest.mark.parametrize("state", ["running", "ended"])
def test_a_batch_that_is_gone_has_a_state_and_is_submitted_anew(server, api: str, state: str):
    server.plan(batch={"form": APIS[api][1], "hold": state == "running"})
    with at(server, api) as engine:
        batch_id = engine.infer_batch(rows(3))
        if state == "ended":
            finish(engine, batch_id)
        server.move_batch(plan={"forgotten": [batch_id], "hold": False})
        info = engine.get_batch_status(batch_id)
        assert (info.status, info.provider_status) == ("failed", "unknown")
        assert f"{api} no longer knows the batch {batch_id}" in info.errors[0]
        partial = engine.get_batch_results_partial(batch_id, rows(3))
        assert kinds(partial) == dict.fromkeys(range(3), "BatchUnknown")
        assert partial.failures[0].error_message == info.errors[0]
        again = engine.infer_batch(rows(3))
        finish(engine, again)
        assert answers(engine.get_batch_results(again, rows(3))) == expected(range(3))
        assert engine.infer_batch(rows(3)) == again
    assert set(server.batches()["rows"].values()) == {2}


def test_resubmit_submits_it_anew(server: FaultServer, openai):
    batch_id = ended(server, openai)
    server.move_batch(plan={"forgotten": [batch_id]})
    again = openai.resubmit_batch(batch_id)
    finish(openai, again)
    assert answers(openai.get_batch_results(again)) == expected(range(3))


def test_what_was_collected_before_is_not_asked_again(server: FaultServer, openai):
    server.plan(batch={"rows": {"row-1": 500}})
    batch_id = ended(server, openai)
    assert openai.get_batch_results_partial(batch_id).rows == [0, 2]
    server.move_batch(plan={"forgotten": [batch_id], "rows": {}})
    assert openai.get_batch_status(batch_id).status == "completed"
    assert openai.get_batch_results_partial(batch_id).rows == [0, 2]
    assert openai.infer_batch(rows(3)) == batch_id
    finish(openai, again := openai.resubmit_batch(batch_id))
    assert answers(openai.get_batch_results(again)) == expected(range(3))
    assert server.batches()["rows"] == {"row-0": 1, "row-1": 2, "row-2": 1}


def test_parts_that_are_known_are_kept(server: FaultServer):
    with make(server, ThreeAtOnce) as engine:
        batch_id = ended(server, engine, 7)
        [first, _, third] = [batch["id"] for batch in server.batches()["batches"]]
        server.move_batch(plan={"forgotten": [first, third]})
        assert engine.get_batch_status(batch_id).provider_status == "2 unknown, 1 completed"
        finish(engine, engine.infer_batch(rows(7)))
        assert answers(engine.get_batch_results(batch_id, rows(7))) == expected(range(7))
    asked = server.batches()["rows"]
    assert [asked[f"row-{row}"] for row in range(7)] == [2, 2, 2, 1, 1, 1, 2]


def test_a_batch_that_is_listed_is_known(server: FaultServer, openai):
    batch_id = openai.infer_batch(rows(3))
    server.move_batch(plan={"forgotten": [batch_id], "lists_forgotten": True})
    assert openai.get_batch_status(batch_id).status == "validating"
    assert openai.infer_batch(rows(3)) == batch_id
    server.move_batch(plan={"forgotten": []})
    finish(openai, batch_id)
    assert answers(openai.get_batch_results(batch_id)) == expected(range(3))
    assert len(server.batches()["batches"]) == 1


def test_a_batch_that_is_known_again_goes_on(server: FaultServer, openai):
    batch_id = openai.infer_batch(rows(3))
    server.move_batch(plan={"forgotten": [batch_id]})
    assert openai.wait_for_batch(batch_id).provider_status == "unknown"
    server.move_batch(plan={"forgotten": []})
    assert openai.get_batch_status(batch_id).status == "in_progress"
    finish(openai, batch_id)
    assert answers(openai.get_batch_results(batch_id)) == expected(range(3))
    assert set(server.batches()["rows"].values()) == {1}


def test_a_server_that_knows_no_paths_says_nothing_of_a_batch(server: FaultServer, openai):
    batch_id = openai.infer_batch(rows(3))
    server.move_batch(plan={"offered": False})
    with pytest.raises(InputError, match="knows no batch"):
        openai.infer_batch(rows(3))
    server.move_batch(plan={"offered": True})
    assert openai.infer_batch(rows(3)) == batch_id
    assert len(server.batches()["batches"]) == 1


def test_once_more_on_purpose(server: FaultServer, openai):
    first = ended(server, openai)
    assert answers(openai.get_batch_results(first)) == expected(range(3))
    second = openai.infer_batch(rows(3), resubmit=True)
    assert second != first
    assert openai.infer_batch(rows(3)) == second, "the latest one"
    finish(openai, second)
    for batch_id in (first, second):
        assert answers(openai.get_batch_results(batch_id, rows(3))) == expected(range(3))
    assert set(server.batches()["rows"].values()) == {2}
    assert openai.infer_batch(rows(3), resubmit=True) not in (first, second)
    assert len(folders()) == 3


def test_once_more_where_there_was_nothing_before(server: FaultServer, openai):
    batch_id = openai.infer_batch(rows(3), resubmit=True)
    assert openai.infer_batch(rows(3)) == batch_id
    assert len(server.batches()["batches"]) == 1


def test_results_of_both_in_one_file(server: FaultServer, openai, tmp_path):
    config = to(tmp_path / "out.jsonl")
    first = ended(server, openai)
    openai.get_batch_results(first, None, config)
    server.move_batch(plan={"line_edits": {"0": ("answer to", "other answer to")}})
    second = openai.infer_batch(rows(3), resubmit=True)
    finish(openai, second)
    [answer, *_] = answers(openai.get_batch_results(second, None, config))
    assert answer == "other answer to row-0"


def test_a_job_that_is_not_wholly_submitted_goes_on(server: FaultServer):
    server.plan(batch={"room": 1, "refuse": "429", "hold": True})
    with make(server, ThreeAtOnce) as engine:
        job = engine.infer_batch(rows(5))
        assert engine.infer_batch(rows(5), resubmit=True) == job
    assert len(folders()) == 1
