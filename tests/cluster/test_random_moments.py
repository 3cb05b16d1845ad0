"""A worker, a node or the driver is killed at a random moment: only what was in flight is asked
again, and the output is that of one machine.

Three rounds by default, one of each kind. `OUMI_CLUSTER_ROUNDS=10` runs ten; each prints its seed
where it fails (`-s`: always), and `OUMI_CLUSTER_SEED=…` runs the same moments again.
"""

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

from oumi.core.configs import InferenceConfig
from tests.cluster.running import (
    DRIVER,
    IN_FLIGHT,
    LAST_MOMENT,
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

ROUNDS = int(os.environ.get("OUMI_CLUSTER_ROUNDS", "3"))
SEED = int(os.environ.get("OUMI_CLUSTER_SEED", str(time.time_ns() % 1_000_000)))


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_death_costs_what_was_in_flight(
    number: int,
    cluster: Any,
    config: InferenceConfig,
    of_one_machine: bytes,
    server: FaultServer,
) -> None:
    kind = (_kill_worker, _kill_node, _kill_driver)[number % 3]
    chance = random.Random(SEED + number)
    print(f"{kind.__name__}, OUMI_CLUSTER_SEED={SEED} round {number}")
    kind(chance, cluster, config, server)
    assert server.stats()["requests"] <= ROWS + IN_FLIGHT
    assert Path(str(config.output_path)).read_bytes() == of_one_machine


def _kill_worker(
    chance: random.Random, cluster: Any, config: InferenceConfig, server: FaultServer
) -> None:
    def kill() -> None:
        os.kill(chance.choice(worker_pids()), signal.SIGKILL)

    result = run_disturbed(server, config, kill, rows=chance.randrange(LAST_MOMENT), workers=3)
    assert not result.has_failures, result.error_messages


def _kill_node(
    chance: random.Random, cluster: Any, config: InferenceConfig, server: FaultServer
) -> None:
    node = cluster.add_node(num_cpus=2)

    def kill() -> None:
        cluster.remove_node(node, allow_graceful=False)

    result = run_disturbed(server, config, kill, rows=chance.randrange(LAST_MOMENT), workers=6)
    assert not result.has_failures, result.error_messages


def _kill_driver(
    chance: random.Random, cluster: Any, config: InferenceConfig, server: FaultServer
) -> None:
    """Nothing that is recorded is asked again."""
    paths = [str(config.input_path), str(config.output_path)]
    command = [sys.executable, "-c", DRIVER, server.api_url, *paths, cluster.address]
    rows = chance.randrange(LAST_MOMENT)
    with held_in_the_middle(server, rows):
        driver = subprocess.Popen(command)
        wait_for_rows(config, rows)
        time.sleep(chance.random() * 0.03)  # the moment between two answers
        driver.kill()
        driver.wait()
        wait_for_no_workers()
    recorded = count_records(Path(f"{config.output_path}.journal"))
    asked = server.stats()["requests"]
    assert not run(config).has_failures
    assert server.stats()["requests"] == asked + ROWS - recorded
