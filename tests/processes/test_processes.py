"""Engines in forked and spawned children, while they are in use and after."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from tests.conftest import answers, ask
from tests.fault_server import FaultServer

METHODS = ["fork", "forkserver", "spawn"]
ROOT = Path(__file__).parents[2]


def start(scenario: str, *args: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.processes.scenarios", scenario, *map(str, args)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=ROOT, **pipes)


def play(scenario: str, *args: object) -> Any:
    """What the scenario saw."""
    with start(scenario, *args) as process:
        try:
            out, _ = process.communicate(timeout=90)
        finally:
            process.kill()
    assert process.returncode == 0
    return json.loads(out.splitlines()[-1])


def expected(*rows: int) -> list[str]:
    return [f"answer to row-{i}" for i in rows]


@pytest.mark.parametrize("method", METHODS)
def test_a_child_uses_an_engine_that_its_parent_used(server: FaultServer, method: str):
    assert play("used", server.api_url, method) == expected(0, 1, 2, 3)
    assert server.stats()["requests"] == 4


@pytest.mark.parametrize("method", METHODS)
def test_a_local_model_is_loaded_again(server: FaultServer, method: str):
    assert play("local", server.api_url, method) is True


@pytest.mark.parametrize("method", METHODS)
def test_executors(server: FaultServer, method: str):
    assert play("pool", server.api_url, method) == expected(0, 1, 2, 3, 4)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_error_of_a_worker_arrives_whole(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, method: str
):
    monkeypatch.setenv("ONLY_HERE", "a-key-of-the-parent")
    server.plan(faults=[{"kind": "status", "code": 422, "body": "no", "times": None}])
    missing, failed = play("pool_errors", server.api_url, method)
    if method == "spawn":  # a forked one has the key, as it was copied with the engine's memory
        assert missing[0] == "AccessError"
    assert failed == ["InferenceError", failed[1], 1]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_loader(server: FaultServer, method: str):
    assert play("loader", server.api_url, method) == expected(100, *range(20))


def test_forks_while_a_run_is_in_flight(server: FaultServer, tmp_path: Path):
    server.plan(latency_ms=20)
    found, count, is_right = play("in_flight", server.api_url, tmp_path)
    assert (found, count, is_right) == (expected(500, 501, 502, 503), 200, True)
    assert all(n == 1 for n, _ in server.stats()["rows"].values())


def test_a_child_has_limits_of_its_own(server: FaultServer):
    server.plan(scripts={"row-1": [{"kind": "hang"}]})
    assert play("limits", server.api_url, "fork") == expected(2)


def test_a_child_does_not_hold_the_parents_journal(server: FaultServer, tmp_path: Path):
    server.plan(scripts={"row-1": [{"kind": "slow", "seconds": 0.5}]})
    found, told = play("locks", server.api_url, tmp_path)
    assert (found, told) == (expected(1, 2), [True])
    assert server.stats()["requests"] == 2


def test_nor_beyond_its_parents_end(server: FaultServer, tmp_path: Path):
    server.plan(scripts={"row-1": [{"kind": "hang"}]})
    with start("killed", server.api_url, tmp_path) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait(30)
        os.kill(child, 0)  # it lives
        server.plan()
        remote = RemoteParams(api_url=server.api_url)
        with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
            config = InferenceConfig(output_path=str(tmp_path / "out.jsonl"))
            assert answers(engine.infer([ask("row-1")], config)) == expected(1)
        os.kill(child, signal.SIGKILL)


@pytest.mark.parametrize(
    "kind", ["unused", "used", "closed", "local", "local-used", "local-closed"]
)
def test_a_forked_child_ends_as_it_likes(server: FaultServer, kind: str):
    assert play("exits", server.api_url, kind) == 7


LATE = """
import atexit, sys, threading
from oumi.core.configs import ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from oumi.errors import EngineError

url, when = sys.argv[1:]
engine = RemoteInferenceEngine(
    ModelParams(model_name="m"), remote_params=RemoteParams(api_url=url)
)

def late():
    for act in (lambda: engine.infer(["row-2"]), lambda: list(engine.stream("row-2"))):
        try:
            act()
        except EngineError as error:
            print("refused:", str(error)[:16], flush=True)
    engine.close()

if when == "first":
    atexit.register(late)
engine.infer(["row-1"])
if when == "last":
    atexit.register(late)
if when == "thread":
    def outlive():
        threading.main_thread().join()
        late()
    threading.Thread(target=outlive).start()
if when == "stream":
    stream = engine.stream("row-1")
    next(stream)
    late = lambda: stream.close()
    atexit.register(late)
"""


@pytest.mark.parametrize(
    ("when", "lines"), [("first", 2), ("last", 2), ("thread", 2), ("stream", 0)]
)
def test_nothing_is_asked_once_python_is_ending(server: FaultServer, when: str, lines: int):
    command = [sys.executable, "-c", LATE, server.api_url, when]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "refused: Python is ending\n" * lines
    assert set(server.stats()["rows"]) == {"row-1"}
