"""One Ray cluster of several nodes on this machine, shared by all tests of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CRASHING = """
import asyncio, os
from oumi.backends.engine_row import EngineRow
from oumi.backends.local.llama_cpp.backend import LlamaCppBackend
from oumi.backends.local.llama_cpp.row import ENGINE

class CrashingBackend(LlamaCppBackend):
    async def complete(self, request):
        if "poison" in request.conversation.messages[-1].content:
            await asyncio.sleep(0.3)  # so that others are in flight with it
            os.kill(os.getpid(), 9)
        return await super().complete(request)

ROW = EngineRow(
    name="CRASHING", class_name="CrashingInferenceEngine", summary="an engine that dies",
    backend="crashing_oumi:CrashingBackend", runtime="xllamacpp", install="",
    supports=ENGINE.supports,
)
"""


@pytest.fixture(scope="session")
def outside_engine(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a package whose engine dies of certain rows."""
    site = tmp_path_factory.mktemp("site")
    (site / "crashing_oumi.py").write_text(CRASHING)
    info = site / "crashing_oumi-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: crashing-oumi\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[oumi.engines]\nCRASHING = crashing_oumi:ROW\n")
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
