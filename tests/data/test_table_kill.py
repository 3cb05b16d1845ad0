"""SIGKILL at random moments, from Parquet to Parquet: nothing is asked twice, the same table."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import count_records
from tests.data.writing import write_rows
from tests.fault_server import FaultServer

KILLS = 5

RUN = """
import sys
from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
remote = RemoteParams(api_url=sys.argv[1], num_workers=4, use_adaptive_concurrency=False)
config = InferenceConfig(
    input_path=sys.argv[2], output_path=sys.argv[3], prompt="{{ text }}", id_column="n",
    generation=GenerationParams(num_samples=int(sys.argv[4]), temperature=1.0, seed=7),
)
with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
    engine.infer(None, config)
"""


def start(server: FaultServer, source: Path, output: Path, samples: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", RUN, server.api_url, str(source), str(output), str(samples)]
    return subprocess.Popen(command, env=os.environ)


@pytest.mark.parametrize(("count", "samples"), [(200, 1), (5000, 3)])
def test_five_kills_cost_at_most_what_was_in_flight(
    count: int, samples: int, server: FaultServer, tmp_path: Path
):
    """Answers of the same row are told apart by the seeds of its samples."""
    rows = [{"n": i, "text": f"row-{i}"} for i in range(count)]
    source = write_rows(tmp_path / "in.parquet", rows)
    unbroken, output = tmp_path / "unbroken.parquet", tmp_path / "out.parquet"
    server.plan(rows_by_seed=True)
    assert start(server, source, unbroken, samples).wait(120) == 0

    asked = count * samples
    server.plan(rows_by_seed=True, latency_ms=10 if count < 1000 else 0)
    journal = Path(f"{output}.journal")
    moments = random.Random(7)
    for _ in range(KILLS):
        process = start(server, source, output, samples)
        goal = count_records(journal) + moments.randrange(1, asked // (2 * KILLS))
        while count_records(journal) < goal and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not output.exists()

    before, requests = count_records(journal), server.stats()["requests"]
    assert requests <= before + 4 * KILLS, "no more is lost than was in flight"
    assert start(server, source, output, samples).wait(120) == 0
    assert server.stats()["requests"] == requests + asked - before, "none is asked again"
    assert output.read_bytes() == unbroken.read_bytes()
