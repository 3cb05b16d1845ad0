"""Jobs that are larger than a batch may be, and providers that have no room for all of one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.types import BatchStatus
from tests.batch.api import SmallFiles, ThreeAtOnce, expected, folders, make, rows
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

ROWS = 120_000
MOST_MEMORY = 300 * 2**20
ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine(server: FaultServer) -> Iterator[ThreeAtOnce]:
    with make(server, ThreeAtOnce) as engine:
        yield engine


def test_many_requests_are_split(server: FaultServer, engine: ThreeAtOnce):
    batch_id = engine.infer_batch(rows(8))
    assert batch_id.startswith("oumi-batch-"), "one id for all parts"
    assert [len(b["metadata"]) for b in server.batches()["batches"]] == [1, 1, 1]
    info = engine.get_batch_status(batch_id)
    assert (info.id, info.parts, info.total_requests) == (batch_id, 3, 8)
    info = engine.wait_for_batch(batch_id, poll_interval_s=0.005)
    assert (info.status, info.completed_requests, info.provider_status) == (
        BatchStatus.COMPLETED,
        8,
        "completed",
    )
    assert answers(engine.get_batch_results(batch_id, rows(8))) == expected(range(8))
    assert engine.get_batch_status("batch_2").id == batch_id, "a part's id finds the job"
    assert [info.id for info in engine.list_batches()] == [batch_id]


def test_large_requests_are_split(server: FaultServer):
    with make(server, SmallFiles) as engine:
        large = [ask(f"{'x' * 500} row-{i}") for i in range(3)]
        batch_id = engine.infer_batch([*large, ask("y" * 2000)])
        assert [file["bytes"] <= 1000 for file in server.batches()["files"]] == [True] * 3
        engine.wait_for_batch(batch_id, poll_interval_s=0.005)
        partial = engine.get_batch_results_partial(batch_id)
    assert answers(partial.conversations) == expected(range(3))
    assert "a batch holds 1,000" in partial.failures[3].error_message


def test_shards_that_end_first_give_their_answers_first(server: FaultServer, engine: ThreeAtOnce):
    server.plan(batch={"hold": True})
    batch_id = engine.infer_batch(rows(8))
    server.move_batch(id="batch_2", state="completed")
    info = engine.get_batch_status(batch_id)
    assert (info.status, info.completed_requests) == (BatchStatus.IN_PROGRESS, 3)
    assert info.provider_status == "2 validating, 1 completed"
    assert engine.get_batch_results_partial(batch_id, rows(8)).rows == [3, 4, 5]
    server.move_batch(id="batch_1", state="completed")
    server.move_batch(id="batch_3", state="expired", done=1)
    assert engine.get_batch_status(batch_id).status == BatchStatus.EXPIRED
    partial = engine.get_batch_results_partial(batch_id, rows(8))
    assert partial.rows == list(range(7))
    assert partial.failures[7].error_class == "BatchExpired"


@pytest.mark.parametrize("refuse", ["failed", "429"])
def test_shards_wait_for_room(server: FaultServer, engine: ThreeAtOnce, refuse: str, caplog):
    server.plan(batch={"room": 1, "refuse": refuse, "hold": True})
    batch_id = engine.infer_batch(rows(8))
    info = engine.get_batch_status(batch_id)
    assert info.status == BatchStatus.VALIDATING
    assert info.provider_status == "1 validating, 2 queued"
    assert re.search(r"waits for room at the provider: .*Enqueued token limit", caplog.text)
    done = 0
    while running := _running(server):
        assert len(running) == 1
        server.move_batch(id=running[0], state="completed")
        done += 1
        engine.get_batch_status(batch_id)
    assert done == 3
    assert engine.get_batch_status(batch_id).status == BatchStatus.COMPLETED
    assert answers(engine.get_batch_results(batch_id, rows(8))) == expected(range(8))
    assert set(server.batches()["rows"].values()) == {1}


def _running(server: FaultServer) -> list[str]:
    ended = ("completed", "failed")
    return [b["id"] for b in server.batches()["batches"] if b["status"] not in ended]


def test_a_shard_for_which_there_is_never_room_is_halved(server: FaultServer, caplog):
    server.plan(batch={"room": 0})
    with make(server) as engine:
        refused = engine.infer_batch(rows(5))
        [folder] = folders()
        for _ in range(3):
            _let_a_minute_pass(folder)
            info = engine.get_batch_status(folder.name)
        assert (info.status, info.parts) == (BatchStatus.VALIDATING, 2)
        assert "Enqueued token limit" in info.errors[0]
        assert engine.get_batch_status(refused).id == folder.name
        assert "is too large for the provider's room, and halved" in caplog.text
        server.move_batch(plan={"room": None})
        _let_a_minute_pass(folder)
        while not engine.get_batch_status(folder.name).is_terminal:
            _let_a_minute_pass(folder)
        assert answers(engine.get_batch_results(folder.name, rows(5))) == expected(range(5))
    assert set(server.batches()["rows"].values()) == {1}


def _let_a_minute_pass(folder: Path) -> None:
    """As far as the job can tell."""
    path = folder / "state.json"
    state = json.loads(path.read_text())
    state["queue_full_s"] = state["queue_full_s"] and state["queue_full_s"] - 60
    path.write_text(json.dumps(state))


def test_shards_that_wait_can_be_cancelled(server: FaultServer, engine: ThreeAtOnce):
    server.plan(batch={"room": 1, "hold": True, "done": 0})
    batch_id = engine.infer_batch(rows(5))
    engine.get_batch_status(batch_id)
    engine.cancel_batch(batch_id)
    server.move_batch(id="batch_1", state="cancelled", done=2)
    info = engine.get_batch_status(batch_id)
    assert (info.status, info.provider_status) == (BatchStatus.CANCELLED, "cancelled")
    partial = engine.get_batch_results_partial(batch_id, rows(5))
    assert partial.rows == [0, 1]
    assert {f.error_class for f in partial.failures.values()} == {"BatchCancelled"}
    assert len(_created(server)) == 1
    [folder] = folders()
    assert not list(folder.glob("oumi-batch-*")), "requests are not kept"


def test_a_cancelled_job_does_not_wait_for_room(server: FaultServer):
    server.plan(batch={"room": 0})
    with make(server) as engine:
        batch_id = engine.infer_batch(rows(2))
        [folder] = folders()
        path = folder / "state.json"  # as of a process that ended while it cancelled
        path.write_text(path.read_text().replace('"cancelled": false', '"cancelled": true'))
        info = engine.get_batch_status(batch_id)
        assert (info.status, info.provider_status) == (BatchStatus.CANCELLED, "cancelled")
    assert len(server.batches()["batches"]) == 1
    assert not list(folder.glob("oumi-batch-*")), "requests are not kept"


def _created(server: FaultServer) -> list[str]:
    return [b["id"] for b in server.batches()["batches"] if b["status"] != "failed"]


SUBMIT_AND_COLLECT = """
import sys
from tests.batch.memory import peak_bytes
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import OpenAIInferenceEngine
url, source, output = sys.argv[1:]
remote = RemoteParams(api_url=url, api_key="sk-of-the-batches")
with OpenAIInferenceEngine(ModelParams(model_name="gpt-4"), remote_params=remote) as engine:
    batch_id = engine.infer_batch(None, InferenceConfig(input_path=source))
    info = engine.wait_for_batch(batch_id, poll_interval_s=0.01)
    result = engine.get_batch_results(batch_id, None, InferenceConfig(output_path=output))
print(batch_id, info.parts, info.completed_requests, len(result))
print(peak_bytes())
"""


@pytest.mark.slow
def test_120_000_conversations_in_three_parts(server: FaultServer, tmp_path: Path):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    with source.open("w") as file:
        for i in range(ROWS):
            messages = [{"role": "user", "content": f"row-{i}"}]
            file.write(json.dumps({"conversation_id": str(i), "messages": messages}) + "\n")
    command = [sys.executable, "-c", SUBMIT_AND_COLLECT, server.api_url, str(source), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    told, memory = done.stdout.splitlines()
    assert told.split()[1:] == ["3", str(ROWS), str(ROWS)]
    assert int(memory) < MOST_MEMORY
    assert len(server.batches()["batches"]) == 3
    with output.open() as file:
        for i, line in enumerate(map(json.loads, file)):
            assert line["conversation_id"] == str(i)
            assert line["messages"][-1]["content"] == f"answer to row-{i}"
    assert i == ROWS - 1
