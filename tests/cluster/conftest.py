"""One Ray cluster of several nodes on this machine, shared by all tests of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def outside_engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the metadata of a package that brings the engine ODD."""
    site = tmp_path_factory.mktemp("site")
    info = site / "odd_oumi-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-oumi\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[oumi.engines]\nODD = tests.cluster.odd_engine:ROW\n")
    return str(site)


@pytest.fixture(scope="session")
def cluster(outside_engine: str) -> Iterator[object]:
    """A head without room for workers, and two nodes with room for two each."""
    import ray
    from ray.cluster_utils import Cluster

    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, f"{root}/src", outside_engine])
    os.environ["PYTHONPATH"] = path
    sys.path.append(outside_engine)
    os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    for _ in range(2):
        made.add_node(num_cpus=2)
    ray.init(address=made.address, log_to_driver=False, logging_level="error")
    yield made
    ray.shutdown()
    made.shutdown()
