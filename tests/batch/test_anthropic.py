"""Batch jobs as Anthropic's message batches."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import BatchStatus
from oumi.errors import InputError, UnavailableError, UnsupportedError
from oumi.inference import AnthropicInferenceEngine
from tests.batch.api import KEY, expected, folders, rows
from tests.conftest import answers
from tests.fault_server import FaultServer

ROOT = Path(__file__).parents[2]
POLL = {"poll_interval_s": 0.005}


@pytest.fixture
def claude(server: FaultServer) -> Iterator[AnthropicInferenceEngine]:
    with make(server) as engine:
        yield engine


def make(server: FaultServer) -> AnthropicInferenceEngine:
    quick = {"retry_backoff_base": 0.01, "max_retries": 2}
    return AnthropicInferenceEngine(
        ModelParams(model_name="claude-opus-5-5"),
        remote_params=RemoteParams(api_url=server.url, api_key=KEY, **quick),
    )


def finish(engine: AnthropicInferenceEngine, batch_id: str) -> BatchStatus:
    return engine.wait_for_batch(batch_id, **POLL).status


def kinds(result: object) -> dict[int, str]:
    return {row: failure.error_class for row, failure in result.failures.items()}


def created(server: FaultServer) -> list[dict]:
    """The requests of the batch that was started last."""
    seen = [seen for seen in server.stats()["last"] if seen["path"] == "/v1/messages/batches"]
    return json.loads(seen[-1]["body"])["requests"]


def test_a_batch_from_beginning_to_end(server: FaultServer, claude: AnthropicInferenceEngine):
    batch_id = claude.infer_batch(rows(5))
    assert batch_id == "msgbatch_1"
    info = claude.get_batch_status(batch_id)
    assert (info.status, info.provider_status) == ("in_progress", "in_progress")
    assert (info.total_requests, info.completed_requests) == (5, 0)
    info = claude.wait_for_batch(batch_id, **POLL)
    assert (info.status, info.provider_status, info.completed_requests) == ("completed", "ended", 5)
    assert info.completed_at < info.expires_at
    results = claude.get_batch_results(batch_id, rows(5))
    assert answers(results) == expected(range(5)), "they came in the reverse order"
    assert results[3].metadata["usage"]["completion_tokens"] == 5
    [folder] = folders()
    assert all(KEY.encode() not in path.read_bytes() for path in folder.iterdir())
    assert not list(folder.glob("oumi-batch-*")), "requests are not kept once they are answered"


def test_what_is_sent_is_what_infer_sends(server: FaultServer, claude: AnthropicInferenceEngine):
    config = InferenceConfig(generation=GenerationParams(max_new_tokens=7))
    claude.infer(rows(1), config)
    single = json.loads(server.stats()["last"][-1]["body"])
    claude.infer_batch(rows(3), config)
    requests = created(server)
    assert requests[0]["params"] == single
    assert [request["custom_id"].partition("-")[0] for request in requests] == ["r0", "r1", "r2"]
    seen = server.stats()["last"][-1]
    assert seen["headers"]["anthropic-version"] == "2026-10-21"
    assert int(seen["headers"]["content-length"]) == len(seen["body"])


def test_rows_that_fail_are_told_apart(server: FaultServer, claude: AnthropicInferenceEngine):
    server.plan(batch={"rows": {"row-1": 400, "row-2": 529}, "done": 4})
    batch_id = claude.infer_batch(rows(6))
    assert finish(claude, batch_id) == BatchStatus.EXPIRED
    result = claude.get_batch_results_partial(batch_id, rows(6))
    assert result.rows == [0, 3]
    assert answers(result.conversations) == expected(iter([0, 3]))
    assert kinds(result) == {
        1: "RequestError",
        2: "UnavailableError",
        4: "BatchExpired",
        5: "BatchExpired",
    }
    assert "max_tokens" in result.failures[1].error_message
    assert [result.failures[row].is_retryable for row in (1, 2, 4)] == [False, True, True]
    server.move_batch(plan={"rows": {}, "done": None})
    again = claude.resubmit_batch(batch_id)
    assert len(created(server)) == 4
    finish(claude, again)
    assert answers(claude.get_batch_results(again, rows(6))) == expected(range(6))
    assert server.batches()["rows"] == {
        **{f"row-{i}": 2 for i in (1, 2, 4, 5)},
        **{f"row-{i}": 1 for i in (0, 3)},
    }


def test_cancelled_with_some_done(server: FaultServer, claude: AnthropicInferenceEngine):
    server.plan(batch={"done": 1})
    batch_id = claude.infer_batch(rows(3))
    info = claude.cancel_batch(batch_id)
    assert (info.status, info.provider_status) == ("cancelling", "canceling")
    assert finish(claude, batch_id) == BatchStatus.CANCELLED
    partial = claude.get_batch_results_partial(batch_id, rows(3))
    assert (partial.rows, kinds(partial)) == ([0], {1: "BatchCancelled", 2: "BatchCancelled"})
    assert claude.cancel_batch(batch_id).status == BatchStatus.CANCELLED


def test_a_reply_that_was_lost_starts_no_second_batch(server: FaultServer):
    server.plan(batch={"lose": {"POST batches": 1}, "hold": True})
    with make(server) as engine, pytest.raises(UnavailableError, match="msgbatch_1 may be"):
        engine.infer_batch(rows(3))
    server.move_batch(id="msgbatch_1", state="ended")
    with make(server) as engine:
        batch_id = engine.infer_batch(rows(3))
        assert batch_id == "msgbatch_1"
        assert answers(engine.get_batch_results(batch_id, rows(3))) == expected(range(3))
    assert len(server.batches()["batches"]) == 1


SUBMIT = """
import sys
from oumi.core.configs import ModelParams, RemoteParams
from oumi.inference import AnthropicInferenceEngine
from tests.batch.api import rows

remote = RemoteParams(api_url=sys.argv[1], api_key="k", retry_backoff_base=60.0)
AnthropicInferenceEngine(
    ModelParams(model_name="claude-opus-5-5"), remote_params=remote
).infer_batch(rows(3))
"""


def test_a_kill_while_a_batch_is_started_starts_no_second_one(
    server: FaultServer, claude: AnthropicInferenceEngine
):
    server.plan(batch={"lose": {"POST batches": 1}, "hold": True})
    with subprocess.Popen([sys.executable, "-c", SUBMIT, server.url], cwd=ROOT) as process:
        server.wait_until(lambda _: server.batches()["batches"], timeout_s=60)
        process.kill()
    with pytest.raises(UnavailableError, match="msgbatch_1 may be"):
        claude.infer_batch(rows(3))
    server.move_batch(id="msgbatch_1", state="ended")
    assert claude.infer_batch(rows(3)) == "msgbatch_1"
    assert answers(claude.get_batch_results("msgbatch_1", rows(3))) == expected(range(3))
    assert len(server.batches()["batches"]) == 1


def test_a_batch_that_looks_alike_is_not_taken_for_it(
    server: FaultServer, claude: AnthropicInferenceEngine
):
    server.plan(batch={"lose": {"POST batches": 1}, "hold": True})
    with pytest.raises(UnavailableError):
        claude.infer_batch(rows(2))
    other = claude.infer_batch(rows(2, first=5))
    for name in ("msgbatch_1", other):
        server.move_batch(id=name, state="ended")
    assert claude.infer_batch(rows(2)) == "msgbatch_1"
    assert answers(claude.get_batch_results("msgbatch_1")) == expected(range(2))
    assert len(server.batches()["batches"]) == 2


def test_no_room_is_waited_for(server: FaultServer, claude: AnthropicInferenceEngine):
    server.plan(batch={"room": 1, "hold": True})
    first = claude.infer_batch(rows(1))
    second = claude.infer_batch(rows(2))
    info = claude.get_batch_status(second)
    assert (info.status, info.provider_status) == ("validating", "queued")
    assert [b["id"] for b in server.batches()["batches"]] == [first]


def test_batches_are_listed(server: FaultServer, claude: AnthropicInferenceEngine):
    server.plan(batch={"page": 1})
    first, second = claude.infer_batch(rows(1)), claude.infer_batch(rows(2))
    assert [info.id for info in claude.list_batches()] == [second, first]
    assert [info.id for info in claude.list_batches(limit=1)] == [second]


def test_batches_of_others(
    server: FaultServer, claude: AnthropicInferenceEngine, monkeypatch, tmp_path
):
    server.plan(batch={"hold": True})
    batch_id = claude.infer_batch(rows(2))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    info = claude.get_batch_status(batch_id)
    assert (info.id, info.total_requests) == (batch_id, 2)
    with pytest.raises(InputError, match="ANTHROPIC knows no batch msgbatch_77"):
        claude.get_batch_status("msgbatch_77")
    with pytest.raises(UnsupportedError, match="does not tell what was asked"):
        claude.get_batch_results_partial(batch_id)
    monkeypatch.delenv("XDG_STATE_HOME")
    assert claude.cancel_batch(batch_id).provider_status == "canceling"


@pytest.mark.slow
def test_more_requests_than_a_batch_holds(server: FaultServer, claude: AnthropicInferenceEngine):
    batch_id = claude.infer_batch(rows(100_001))
    info = claude.wait_for_batch(batch_id, **POLL)
    assert (info.status, info.parts, info.completed_requests) == ("completed", 2, 100_001)
    counts = [batch["request_counts"]["succeeded"] for batch in server.batches()["batches"]]
    assert counts == [100_000, 1]
