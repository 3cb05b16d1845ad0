"""What users run for days, in little: faults of every kind, kills, and a full disk."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.errors import StorageError
from oumi.inference import RemoteInferenceEngine
from tests.conftest import ask, count_records
from tests.fault_server import FaultServer

ROWS = 10_000
KILLS = 20
WORKERS = 200

FAULTS = [
    {"kind": "reset", "share": 0.05},
    {"kind": "status", "code": 500, "share": 0.05},
    {"kind": "status", "code": 429, "share": 0.05, "retry_after_s": 0.1, "retry_after": "ms"},
    {"kind": "hang", "share": 0.02},
    {"kind": "malformed", "share": 0.02},
]

RUN = """
import sys
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import RemoteInferenceEngine
remote = RemoteParams(api_url=sys.argv[1], num_workers=200, retry_backoff_base=0.05)
config = InferenceConfig(input_path=sys.argv[2], output_path=sys.argv[3])
with RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote) as engine:
    engine.infer(None, config)
"""


def write_rows(path: Path, count: int) -> Path:
    with path.open("w") as file:
        for i in range(count):
            file.write(ask(f"row-{i}", conversation_id=f"id-{i}").to_json() + "\n")
    return path


def make(server: FaultServer, **fields: object) -> RemoteInferenceEngine:
    remote = RemoteParams(api_url=server.api_url, num_workers=WORKERS, **fields)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=remote)


def ids(output: Path) -> list[str]:
    return [json.loads(line)["conversation_id"] for line in output.read_text().splitlines()]


@pytest.mark.slow
def test_every_row_is_answered_once_whatever_happens(server: FaultServer, tmp_path: Path):
    server.plan(seed=3, latency_ms=5, faults=FAULTS)
    source, output = write_rows(tmp_path / "in.jsonl", ROWS), tmp_path / "out.jsonl"
    config = InferenceConfig(input_path=str(source), output_path=str(output))
    fields = {"connection_timeout": 2.0, "retry_backoff_base": 0.05, "max_retries": 6}
    with make(server, **fields) as engine:
        result = engine.infer(None, config)
    assert len(result) == ROWS
    assert ids(output) == [f"id-{i}" for i in range(ROWS)]
    answered = server.answered()
    assert len(answered) == ROWS
    assert set(answered.values()) == {1}
    assert all(c.messages[-1].content == f"answer to row-{i}" for i, c in enumerate(result))
    hit = server.stats()["faults"]
    assert len(hit) == len(FAULTS)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_twenty_kills_cost_at_most_what_was_in_flight(server: FaultServer, tmp_path: Path):
    source = write_rows(tmp_path / "in.jsonl", ROWS)
    unbroken, output = tmp_path / "unbroken.jsonl", tmp_path / "out.jsonl"
    server.plan(latency_ms=10)
    subprocess.run([sys.executable, "-c", RUN, server.api_url, source, unbroken], check=True)

    server.plan(latency_ms=10)
    journal = Path(f"{output}.journal")
    moments = random.Random(11)
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", RUN, server.api_url, source, output])
        grown = moments.randrange(2 * ROWS // KILLS)
        goal = min(count_records(journal) + grown, ROWS)
        while count_records(journal) < goal and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run([sys.executable, "-c", RUN, server.api_url, source, output], check=True)

    assert output.read_bytes() == unbroken.read_bytes()
    answered = server.answered()
    assert len(answered) == ROWS
    assert sum(answered.values()) - ROWS <= KILLS * WORKERS
    lines = map(json.loads, journal.read_text().splitlines())
    rows = [line["row"] for line in lines if "key" in line]
    assert sorted(rows) == list(range(ROWS)), "one record a row"


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 1 MB; where one cannot be mounted, the test is skipped."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs rights that are not given here")
    yield folder
    # An error holds the result of its run, and that the journal, for as long as it is held.
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_nothing(server: FaultServer, tmp_path: Path, small_disk: Path):
    server.plan()
    rows = 3000
    source, output = write_rows(tmp_path / "in.jsonl", rows), small_disk / "out.jsonl"
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 700_000)
    config = InferenceConfig(input_path=str(source), output_path=str(output))
    journal = Path(f"{output}.journal")
    with make(server) as engine:
        with pytest.raises(StorageError, match=r"No space left.*make room"):
            engine.infer(None, config)
        kept = journal.read_bytes()
        assert kept.endswith(b"\n")
        assert count_records(journal) > 500
        assert not output.exists()

        ballast.unlink()
        with pytest.raises(StorageError, match=r"out\.jsonl|journal"):
            engine.infer(None, config)
        subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
        engine.infer(None, config)
    assert ids(output) == [f"id-{i}" for i in range(rows)]
    assert sum(server.answered().values()) - rows <= 2 * WORKERS
