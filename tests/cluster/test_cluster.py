"""Runs on a Ray cluster: the answers of one machine, whatever dies in between."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.distributed import RayCluster
from oumi.errors import AccessError, ConfigError
from oumi.inference import RemoteInferenceEngine
from oumi.runner.parts.merge import merge_parts
from tests.cluster.running import (
    DRIVER,
    IN_FLIGHT,
    ROWS,
    held_in_the_middle,
    run,
    run_disturbed,
    wait_for_no_workers,
    wait_for_rows,
    worker_pids,
)
from tests.conftest import count_records
from tests.fault_server import FaultServer

pytest.importorskip("ray", reason="the tests of clusters run in the environment of test-engines")


def test_the_output_is_that_of_one_machine(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    result = run(config)
    assert len(result.conversations) == ROWS
    assert Path(str(config.output_path)).read_bytes() == of_one_machine
    assert server.stats()["requests"] == ROWS


def test_a_dead_worker_costs_what_it_had_in_flight(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    def kill() -> None:
        os.kill(random.Random(3).choice(worker_pids()), signal.SIGKILL)

    result = run_disturbed(server, config, kill)
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

    result = run_disturbed(server, config, change, workers=6)
    assert not result.has_failures, result.error_messages
    assert Path(str(config.output_path)).read_bytes() == of_one_machine
    assert server.stats()["requests"] <= ROWS + IN_FLIGHT


def test_a_worker_that_stands_still_is_left_out(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    stopped: list[int] = []

    def stop() -> None:
        stopped.append(worker_pids()[0])
        os.kill(stopped[0], signal.SIGSTOP)

    result = run_disturbed(server, config, stop, max_silence_s=1)
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
    command = [sys.executable, "-c", DRIVER, server.api_url, str(questions), output]
    with held_in_the_middle(server):
        driver = subprocess.Popen([*command, cluster.address])
        wait_for_rows(config)
        driver.kill()
        driver.wait()
        wait_for_no_workers()
    recorded, asked = count_records(Path(f"{output}.journal")), server.stats()["requests"]
    assert asked <= recorded + IN_FLIGHT
    result = run(config)
    assert not result.has_failures
    assert server.stats()["requests"] == asked + ROWS - recorded
    assert Path(output).read_bytes() == of_one_machine


def test_parts_by_clusters_of_their_own_are_merged(
    cluster: Any, config: InferenceConfig, of_one_machine: bytes, server: FaultServer
) -> None:
    for part in ("1/2", "2/2"):
        run(config.model_copy(update={"part": part}))
    assert server.stats()["requests"] == ROWS
    with RemoteInferenceEngine(config.model, remote_params=config.remote_params) as engine:
        merge_parts(engine.session(config))
    assert Path(str(config.output_path)).read_bytes() == of_one_machine


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


def test_a_wrong_key_ends_therun(
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
