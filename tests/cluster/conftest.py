"""One Ray cluster of several nodes on this machine, shared by all tests of it, and a run on it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
from tests.cluster.running import IN_FLIGHT, ROWS
from tests.fault_server import FaultServer


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
