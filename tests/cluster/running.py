"""Runs on the cluster in which something happens, and what of them is seen from outside."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oumi.core.configs import InferenceConfig
from oumi.core.types import InferenceResult
from oumi.distributed import RayCluster
from tests.conftest import count_records
from tests.fault_server import FaultServer

ROWS = 300
IN_FLIGHT = 16
LAST_MOMENT = ROWS - IN_FLIGHT
"""Of a disturbance: after more rows, no answer is left that could wait for it."""

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


def run(config: InferenceConfig, **cluster: Any) -> InferenceResult:
    cluster = {"workers": 2, "max_silence_s": 5, **cluster}
    with RayCluster(config, **cluster) as engine:
        return engine.infer_partial(None, config)


def worker_pids() -> list[int]:
    """The processes of this cluster's workers that are ready, found by what Ray calls them."""
    return [
        pid
        for raylet in _children(os.getpid(), "raylet")
        for pid in _children(raylet, "ray::Worker")
    ]


def _children(parent: int, name: str) -> list[int]:
    command = ["pgrep", "-P", str(parent), "-f", name]
    found = subprocess.run(command, capture_output=True, text=True)
    return [int(pid) for pid in found.stdout.split()]


def run_disturbed(
    server: FaultServer,
    config: InferenceConfig,
    disturb: Callable[[], object],
    *,
    rows: int = ROWS // 4,
    **cluster: Any,
) -> InferenceResult:
    """A run in which something happens once so many rows are answered."""
    with ThreadPoolExecutor(1) as pool, held_in_the_middle(server, rows):
        running = pool.submit(run, config, **cluster)
        wait_for_rows(config, rows)
        disturb()
        server.release()
        return running.result(120)


@contextmanager
def held_in_the_middle(server: FaultServer, rows: int = ROWS // 4) -> Iterator[None]:
    """The run cannot end in here: some more rows are answered, the others wait."""
    server.hold_after(rows + IN_FLIGHT // 2)
    try:
        yield
    finally:
        server.release()


def wait_for_rows(config: InferenceConfig, rows: int = ROWS // 4) -> None:
    """Wait until so many rows are answered."""
    journal = Path(f"{config.output_path}.journal")
    end_s = time.monotonic() + 60
    while count_records(journal) < rows and time.monotonic() < end_s:
        time.sleep(0.01)


def wait_for_no_workers() -> None:
    """Wait until all workers of a dead driver have ended."""
    end_s = time.monotonic() + 60
    while worker_pids():
        assert time.monotonic() < end_s
        time.sleep(0.1)
