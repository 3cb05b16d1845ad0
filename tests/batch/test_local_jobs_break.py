"""What breaks under a local job: its process, its caller, its files, its key, the disk."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from oumi.batch.job_folder import all_folders
from oumi.core.configs import ModelParams
from oumi.core.types import BatchStatus
from oumi.errors import AccessError, InputError, StorageError
from oumi.inference import DeepSeekInferenceEngine, LlamaCppInferenceEngine
from oumi.models import TINY_GGUF
from tests.batch.api import folders
from tests.batch.local import (
    finish,
    folder_of_job,
    is_free,
    kill_worker,
    processes_started,
    recorded,
    remote_engine,
    rows,
    status_without_engine,
    wait_until,
    worker_of,
)
from tests.conftest import answers, short, sums
from tests.fault_server import FaultServer

KEY = "sk-of-the-caller-0123456789"
SLOW = {"latency_ms": 20}

SUBMIT = """
import os, sys, time
from tests.batch.local import remote_engine, rows
with remote_engine(sys.argv[1]) as engine:
    print("ready", flush=True)
    print(engine.infer_batch(rows(int(sys.argv[2]))), flush=True)
    while True:  # a signal that comes just before `signal.pause()` would go unseen
        time.sleep(0.05)
"""


def submitting(server: FaultServer, count: int) -> subprocess.Popen[str]:
    """A caller with a process group of its own, as one that a terminal started."""
    command = [sys.executable, "-c", SUBMIT, server.api_url, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGHUP])
def test_a_job_survives_its_caller(server: FaultServer, how: signal.Signals):
    server.plan(**SLOW)
    with submitting(server, 40) as caller:
        assert caller.stdout.readline() == "ready\n"
        batch_id = caller.stdout.readline().strip()
        os.killpg(caller.pid, how)
    wait_until(lambda: len(recorded(batch_id)) == 40)
    wait_until(lambda: is_free(folder_of_job(batch_id)))
    assert status_without_engine(batch_id).status is BatchStatus.COMPLETED
    assert processes_started(batch_id) == 1
    assert server.answered() == {f"row-{i}": 1 for i in range(40)}


@pytest.mark.slow
def test_callers_that_are_killed_at_twenty_moments_of_submitting(server: FaultServer):
    moments, jobs = random.Random(7), range(500, 520)
    for count in jobs:
        before = len(folders())
        with submitting(server, count) as caller:
            assert caller.stdout.readline() == "ready\n"
            while count % 2 and len(folders()) == before:
                time.sleep(0.001)  # every other one not before there is something of it on disk
            time.sleep(moments.uniform(0, 0.1))  # any moment is as good as another
            caller.kill()
    with remote_engine(server.api_url) as engine:
        ids = [engine.infer_batch(rows(count)) for count in jobs]
        assert [finish(engine, batch_id).completed_requests for batch_id in ids] == list(jobs)
        assert {folder.id for folder in all_folders()} == set(ids)
    assert [processes_started(batch_id) for batch_id in ids] == [1] * len(jobs)
    assert server.stats()["requests"] == sum(jobs)


@pytest.mark.slow
def test_twenty_kills_cost_at_most_what_was_in_flight(server: FaultServer):
    count, workers, kills = 2000, 8, 20
    moments = random.Random(7)
    server.plan(**SLOW)
    ignores: dict[str, int] = {}
    with remote_engine(server.api_url, num_workers=workers) as engine:
        batch_id = engine.infer_batch(rows(count))
        for kill in range(kills):
            # Every other time wherever it is; otherwise once it has got on.
            had = len(recorded(batch_id))
            wait_until(lambda had=had, kill=kill: kill % 2 or len(recorded(batch_id)) > had)
            time.sleep(moments.uniform(0, 0.3))  # any moment is as good as another
            assert not engine.get_batch_status(batch_id).is_terminal
            kill_worker(batch_id)
            seen = server.stats()["rows"]
            ignores = {f"row-{i}": seen[f"row-{i}"] for i in recorded(batch_id)} | ignores
            assert not engine.get_batch_status(batch_id).is_terminal
        assert len(ignores) > 10
        assert finish(engine, batch_id).completed_requests == count
        results = engine.get_batch_results(batch_id, rows(count))
    assert answers(results) == [f"answer to row-{i}" for i in range(count)]
    assert sorted(recorded(batch_id)) == list(range(count)), "one answer a row"
    seen = server.stats()["rows"]
    assert {row: seen[row] for row in ignores} == ignores, "no recorded row is asked again"
    assert sum(asked for asked, _ in seen.values()) <= count + kills * workers
    assert processes_started(batch_id) <= kills + 1


def test_many_callers_at_once_start_one_process(server: FaultServer):
    server.plan(**SLOW)
    with remote_engine(server.api_url) as engine, ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(lambda _: engine.infer_batch(rows(60)), range(16)))
        assert len(set(ids)) == 1
        wait_until(lambda: recorded(ids[0]))
        kill_worker(ids[0])
        list(pool.map(lambda _: engine.get_batch_status(ids[0]), range(16)))
        finish(engine, ids[0])
    assert processes_started(ids[0]) == 2
    assert sorted(recorded(ids[0])) == list(range(60))


def test_sigterm_lets_what_is_in_flight_end(server: FaultServer):
    server.plan(latency_ms=300)
    server.hold_after(8)
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(24))
        wait_until(lambda: server.stats()["in_flight"] == 4 and len(recorded(batch_id)) == 8)
        os.kill(worker_of(batch_id), signal.SIGTERM)
        server.release()
        wait_until(lambda: is_free(folder_of_job(batch_id)))
        assert 12 <= len(recorded(batch_id)) < 24
        assert finish(engine, batch_id).completed_requests == 24
    assert server.answered() == {f"row-{i}": 1 for i in range(24)}


@pytest.mark.parametrize(
    "damage",
    [b"", b'{"status": "COMP', b"[]", b'{"status": "DONE"}', b"null", b"[1]", b'{"errors": []}'],
)
def test_a_damaged_state_costs_nothing(server: FaultServer, damage: bytes):
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(3))
        finish(engine, batch_id)
        wait_until(lambda: is_free(folder_of_job(batch_id)))
        (folder_of_job(batch_id).path / "state.json").write_bytes(damage)
        info = finish(engine, batch_id)
        assert (info.status, info.completed_requests) == (BatchStatus.COMPLETED, 3)
        assert len(engine.get_batch_results(batch_id)) == 3
    assert server.stats()["requests"] == 3


def test_files_of_the_output_that_are_gone(server: FaultServer):
    server.plan(scripts={"row-1": [{"kind": "status", "code": 400}]})
    with remote_engine(server.api_url) as engine:
        batch_id = engine.infer_batch(rows(3))
        assert finish(engine, batch_id).failed_requests == 1
        folder_of_job(batch_id).output.run_path.unlink()
        assert len(engine.get_batch_results_partial(batch_id).conversations) == 2
        engine.resubmit_batch(batch_id)
        assert finish(engine, batch_id).completed_requests == 3
        assert len(engine.get_batch_results(batch_id)) == 3


@pytest.mark.parametrize("damage", [b"{", b"{}", b"[]", b'{"kind": "other"}', b'{"kind": "api"}'])
def test_a_damaged_job_does_not_hide_the_others(server: FaultServer, damage: bytes):
    with remote_engine(server.api_url) as engine:
        ids = [engine.infer_batch(rows(count)) for count in (1, 2, 3)]
        for batch_id in ids:
            finish(engine, batch_id)
        (folder_of_job(ids[0]).path / "state.json").write_bytes(b"{")
        (folder_of_job(ids[1]).path / "intent.json").write_bytes(damage)
        assert [info.id for info in engine.list_batches()] == [ids[2], ids[0]]
        with pytest.raises(InputError, match="no batch job 'batch_9'"):
            engine.get_batch_status("batch_9")
        with pytest.raises(StorageError, match=r"intent.json: damaged"):
            engine.get_batch_status(ids[1])


def test_one_that_dies_at_once_is_not_started_for_ever(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "orjson.py").write_text("raise SystemExit('the worker finds no memory')")
    with remote_engine(server.api_url) as engine:
        with monkeypatch.context() as broken:
            broken.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
            batch_id = engine.infer_batch(rows(3))
            info = finish(engine, batch_id)
        assert info.status is BatchStatus.FAILED
        assert "ended 3 times without an answer" in info.errors[0]
        assert info.errors[0].endswith("the worker finds no memory")
        assert folder_of_job(batch_id).log_path.read_text().count("no memory") == 3
        engine.resubmit_batch(batch_id)
        assert finish(engine, batch_id).status is BatchStatus.COMPLETED


def test_a_model_that_is_gone(tmp_path: Path):
    model = tmp_path / "m.gguf"
    model.write_bytes(TINY_GGUF.read_bytes())
    with LlamaCppInferenceEngine(ModelParams(model_name=str(model))) as engine:
        batch_id = engine.infer_batch(sums(3), short())
    kill_worker(batch_id)
    model.rename(tmp_path / "moved.gguf")
    info = wait_until(lambda: (i := status_without_engine(batch_id)).is_terminal and i)
    assert info.status is BatchStatus.FAILED
    assert f"no model '{model}'" in info.errors[0]


def test_a_model_that_is_another_one(tmp_path: Path):
    model = tmp_path / "m.gguf"
    model.write_bytes(TINY_GGUF.read_bytes())
    with LlamaCppInferenceEngine(ModelParams(model_name=str(model))) as engine:
        batch_id = engine.infer_batch(sums(3), short())
    kill_worker(batch_id)
    with model.open("ab") as file:
        file.write(b"more")
    info = wait_until(lambda: (i := status_without_engine(batch_id)).is_terminal and i)
    assert info.status is BatchStatus.FAILED
    assert "Submit the conversations again" in info.errors[0]


def test_an_inline_key_is_never_written_down(server: FaultServer, monkeypatch: pytest.MonkeyPatch):
    server.plan(scripts={f"row-{i}": [{"kind": "hang", "times": 1}] for i in range(2, 4)})
    with remote_engine(
        server.api_url, DeepSeekInferenceEngine, api_key=KEY, connection_timeout=60
    ) as engine:
        batch_id = engine.infer_batch(rows(4))
        wait_until(lambda: len(recorded(batch_id)) == 2)
        environment = Path(f"/proc/{worker_of(batch_id)}/environ")
        assert not environment.exists() or KEY.encode() not in environment.read_bytes()
        kill_worker(batch_id)
    with pytest.raises(AccessError, match="environment variable DEEPSEEK_API_KEY"):
        status_without_engine(batch_id)
    monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
    with remote_engine(server.api_url, DeepSeekInferenceEngine) as other:
        [info] = other.list_batches()
        assert not info.is_terminal
        assert finish(other, batch_id).completed_requests == 4
    assert server.stats()["authorizations"] == [f"Bearer {KEY}"]
    files = [path for path in folder_of_job(batch_id).path.rglob("*") if path.is_file()]
    assert len(files) >= 6
    assert not [path.name for path in files if KEY.encode() in path.read_bytes()]


def test_a_key_goes_to_no_other_address(server: FaultServer):
    server.plan(faults=[{"kind": "hang", "times": None}])
    with remote_engine(server.api_url, DeepSeekInferenceEngine, api_key=KEY) as engine:
        batch_id = engine.infer_batch(rows(1))
        kill_worker(batch_id)
    with remote_engine("localhost:9", DeepSeekInferenceEngine, api_key="sk-of-another") as other:
        with pytest.raises(AccessError):
            other.get_batch_status(batch_id)
        assert other.cancel_batch(batch_id).status is BatchStatus.CANCELLED
    assert "Bearer sk-of-another" not in server.stats()["authorizations"]


ON_A_SMALL_DISK = """
import resource, sys
from tests.batch.local import remote_engine, rows
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
with remote_engine(sys.argv[1]) as engine:
    print(engine.infer_batch(rows(200)))
"""


def test_a_full_disk_loses_nothing(server: FaultServer):
    command = [sys.executable, "-c", ON_A_SMALL_DISK, server.api_url, "25000"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    batch_id = printed.strip()
    wait_until(lambda: is_free(folder_of_job(batch_id)))
    info = status_without_engine(batch_id)
    assert info.status is BatchStatus.FAILED
    assert "cannot be recorded: File too large" in info.errors[0]
    assert info.completed_requests == len(recorded(batch_id)) > 10
    server.reset()
    with remote_engine(server.api_url) as engine:
        engine.resubmit_batch(batch_id)
        assert finish(engine, batch_id).completed_requests == 200
    assert server.stats()["requests"] == 200 - info.completed_requests
