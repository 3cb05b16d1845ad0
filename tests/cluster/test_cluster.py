"""Runs on a Ray cluster: the answers of one machine, whatever dies in between."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.core.types import InferenceResult
from oumi.distributed import RayCluster
from oumi.errors import AccessError, ConfigError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import count_records
from tests.fault_server import FaultServer

pytest.importorskip("ray", reason="the tests of clusters run in the environment of test-engines")

ROWS = 300
IN_FLIGHT = 16

DRIVER = """
import sys
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.distributed import RayCluster
config = InferenceConfig(
    engine="REMOTE", model=ModelParams(model_name="m"), input_path=sys.argv[2],
    output_path=sys.argv[3],
    remote_params=RemoteParams(api_url=sys.argv[1], num_workers=16, use_adaptive_concurrency=False),
)
with RayCluster(config, workers=2, address=sys.argv[4], max_silence_s=5) as engine:
    engine.infer(None, config)
"""


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [{"messages": [{"role": "user", "content": f"row-{i}"}]} for i in range(ROWS)]
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def config(server: FaultServer, questions: Path, tmp_path: Path) -> InferenceConfig:
    server.plan(latency_ms=30)
    remote = RemoteParams(
        api_url=server.api_url, num_workers=IN_FLIGHT, use_adaptive_concurrency=False
    )
    return InferenceConfig(
        engine="REMOTE",
        model=ModelParams(model_name="m"),
        input_path=str(questions),
        output_path=str(tmp_path / "out.jsonl"),
        remote_params=remote,
    )


@pytest.fixture
def of_one_machine(config: InferenceConfig, tmp_path: Path, server: FaultServer) -> bytes:
    """The output of the same run without a cluster."""
    here = config.model_copy(update={"output_path": str(tmp_path / "here.jsonl")})
    with RemoteInferenceEngine(config.model, remote_params=config.remote_params) as engine:
        engine.infer(None, here)
    server.plan(latency_ms=30)
    return (tmp_path / "here.jsonl").read_bytes()


def _run(config: InferenceConfig, **cluster: Any) -> InferenceResult:
    cluster = {"workers": 2, "max_silence_s": 5, **cluster}
    with RayCluster(config, **cluster) as engine:
        return engine.infer_partial(None, config)


def _worker_pids() -> list[int]:
    """The processes of the workers that are ready, found by what Ray calls them."""
    found = subprocess.run(["pgrep", "-f", "ray::Worker"], capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def _run_disturbed(
    config: InferenceConfig, disturb: Callable[[], object], **cluster: Any
) -> InferenceResult:
    """A run in whose middle something happens."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_run, config, **cluster)
        _wait_for_rows(config)
        disturb()
        return running.result(120)


def _wait_for_rows(config: InferenceConfig) -> None:
    """Wait until some rows are answered."""
    journal = Path(f"{config.output_path}.journal")
    end_s = time.monotonic() + 60
    while count_records(journal) < ROWS // 4 and time.monotonic() < end_s:
        time.sleep(0.01)


def test_the_output_is_that_of_one_machine(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    result = _run(config)
    assert len(result.conversations) == ROWS
    assert Path(str(config.output_path)).read_bytes() == of_one_machine
    assert server.stats()["requests"] == ROWS


def test_a_dead_worker_costs_what_it_had_in_flight(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    def kill() -> None:
        os.kill(random.Random(3).choice(_worker_pids()), signal.SIGKILL)

    result = _run_disturbed(config, kill)
    assert not result.has_failures, result.error_messages
    assert Path(str(config.output_path)).read_bytes() == of_one_machine
    assert server.stats()["requests"] <= ROWS + IN_FLIGHT


def test_a_node_that_goes_and_one_that_comes(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    extra = cluster.add_node(num_cpus=2)

    def change() -> None:
        cluster.remove_node(extra)
        cluster.add_node(num_cpus=2)

    result = _run_disturbed(config, change, workers=6)
    assert not result.has_failures, result.error_messages
    assert Path(str(config.output_path)).read_bytes() == of_one_machine
    assert server.stats()["requests"] <= ROWS + IN_FLIGHT


def test_a_worker_that_stands_still_is_left_out(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    stopped: list[int] = []

    def stop() -> None:
        stopped.append(_worker_pids()[0])
        os.kill(stopped[0], signal.SIGSTOP)

    result = _run_disturbed(config, stop, max_silence_s=1)
    assert not result.has_failures, result.error_messages
    assert Path(str(config.output_path)).read_bytes() == of_one_machine
    asked = server.stats()["requests"]
    assert asked <= ROWS + IN_FLIGHT
    try:
        os.kill(stopped[0], signal.SIGCONT)
    except ProcessLookupError:
        return  # ended by the driver
    time.sleep(2)
    assert server.stats()["requests"] <= asked + IN_FLIGHT, "it asks no more than it had"


def test_a_dead_driver_ends_the_workers_and_is_resumed(
    cluster: Any,
    config: InferenceConfig,
    of_one_machine: bytes,
    server: FaultServer,
    questions: Path,
) -> None:
    output = str(config.output_path)
    before = set(_worker_pids())
    command = [sys.executable, "-c", DRIVER, server.api_url, str(questions), output]
    driver = subprocess.Popen([*command, cluster.address])
    _wait_for_rows(config)
    driver.kill()
    driver.wait()
    end_s = time.monotonic() + 20
    while set(_worker_pids()) - before and time.monotonic() < end_s:
        time.sleep(0.2)
    assert not set(_worker_pids()) - before
    recorded, asked = count_records(Path(f"{output}.journal")), server.stats()["requests"]
    assert asked <= recorded + IN_FLIGHT
    result = _run(config)
    assert not result.has_failures
    assert server.stats()["requests"] == asked + ROWS - recorded
    assert Path(output).read_bytes() == of_one_machine


def test_limits_hold_over_all_workers(
    cluster: Any, config: InferenceConfig, server: FaultServer, tmp_path: Path
) -> None:
    remote = RemoteParams(api_url=server.api_url, num_workers=8, requests_per_minute=1200)
    texts = [f"row-{i}" for i in range(60)]
    limited = config.model_copy(update={"remote_params": remote, "input_path": None})
    with RayCluster(limited, workers=4, cpus_per_worker=0.5) as engine:
        engine.infer(texts, limited)
    starts = server.stats(starts=True)["starts"]
    busiest = max(sum(s <= t < s + 1 for t in starts) for s in starts)
    assert busiest <= 26  # 20 a second are sent; how long each is on its way differs


def test_a_wrong_key_ends_the_run(
    cluster: Any, config: InferenceConfig, server: FaultServer
) -> None:
    server.plan(faults=[{"kind": "status", "code": 401, "times": None}])
    with pytest.raises(AccessError), RayCluster(config, workers=1) as engine:
        engine.infer(None, config)
    assert server.stats()["requests"] <= IN_FLIGHT


def test_keys_do_not_go_through_the_cluster(cluster: Any, config: InferenceConfig) -> None:
    keyed = InferenceConfig(
        engine="OPENAI", model=config.model, remote_params=RemoteParams(api_key="sk-secret")
    )
    with pytest.raises(ConfigError, match="OPENAI_API_KEY") as caught:
        RayCluster(keyed, workers=1)
    assert "sk-secret" not in str(caught.value)


def test_a_model_that_cannot_be_loaded_says_why(cluster: Any) -> None:
    config = InferenceConfig(engine="LLAMACPP", model=ModelParams(model_name="/nowhere/model.gguf"))
    with pytest.raises(Exception, match=r"/nowhere/model\.gguf"):
        RayCluster(config, workers=1)
