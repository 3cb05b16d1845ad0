"""Batch jobs where the state folder lies on a file system of a cluster, or may only be read."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from errno import EINVAL
from pathlib import Path

import orjson
import pytest

from oumi.batch.job_folder import all_folders
from tests.fault_server import FaultServer
from tests.runner.faulty_disk import NO_FLOCK, Start, engine, finish, write_rows

COUNT = 6
ANSWERS = [f"answer to row-{i}" for i in range(COUNT)]
FAULTS = f"{NO_FLOCK} fsync:{EINVAL}:/"


def texts(out: str) -> list[str]:
    return [orjson.loads(line)["messages"][-1]["content"] for line in out.splitlines()]


def submit(server: FaultServer, tmp_path: Path, name: str = "REMOTE_VLLM") -> list[str]:
    write_rows(tmp_path / "in.jsonl", COUNT)
    return ["batch", "submit", *engine(server, name), "--input_path=in.jsonl"]


def wait_until(holds) -> None:
    end_s = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.02)


@pytest.fixture
def no_worker_is_left(_own_home: None) -> Iterator[None]:
    yield
    wait_until(lambda: not any((folder.path / "lock.lock").exists() for folder in all_folders()))


def test_a_local_job_without_flock(
    start: Start, server: FaultServer, tmp_path: Path, no_worker_is_left: None
):
    server.hold_after(2)
    order = [*submit(server, tmp_path), "--remote_params.num_workers=1"]
    code, out, _ = finish(start(*order, faults=FAULTS))
    assert code == 0
    batch_id = out.strip()
    # The same call while a process works on the job starts none.
    assert finish(start(*order, faults=FAULTS))[:2] == (0, out)
    [folder] = all_folders()
    wait_until(folder.lock_path.read_bytes)
    worker = orjson.loads(folder.lock_path.read_bytes())["pid"]
    lock_file = folder.path / "lock.lock"
    assert orjson.loads(lock_file.read_bytes())["pid"] == worker
    wait_until(lambda: server.stats()["requests"] > 1)
    os.kill(worker, signal.SIGKILL)
    server.release()
    assert finish(start("batch", "status", batch_id, faults=FAULTS))[0] == 0
    waiting = start("batch", "wait", "-q", "--every=0.1", batch_id, faults=FAULTS)
    assert finish(waiting)[0] == 0
    code, out, _ = finish(start("batch", "results", batch_id, faults=FAULTS))
    assert (code, texts(out)) == (0, ANSWERS)
    assert folder.log_path.read_text().count(" works on ") == 2


def test_a_job_at_an_api_without_flock(start: Start, server: FaultServer, tmp_path: Path):
    order = submit(server, tmp_path, "OPENAI")
    code, out, err = finish(start(*order, faults=FAULTS))
    assert code == 0, err
    results = ["batch", "results", out.strip(), *engine(server, "OPENAI")]
    waiting = ["batch", "wait", "-q", "--every=0.05", *results[2:]]
    assert finish(start(*waiting, faults=FAULTS))[0] == 0
    code, out, _ = finish(start(*results, faults=FAULTS))
    assert (code, texts(out)) == (0, ANSWERS)
    [folder] = all_folders()
    assert {path.name for path in folder.path.glob("*.lock")} == set()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that other users may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setenv("HOME", str(folder))
    yield folder
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)
    shutil.rmtree(folder)


def as_reader(folder: Path) -> str:
    """What to run in a shell so that a folder may only be read."""
    for path in folder.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid():
        return "true"
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and there is no setpriv to be another user with")
    return 'set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$@"'


def test_jobs_of_a_folder_that_may_only_be_read(
    start: Start, server: FaultServer, tmp_path: Path, home: Path
):
    batch_id = finish(start(*submit(server, tmp_path)))[1].strip()
    assert finish(start("batch", "wait", "-q", "--every=0.1", batch_id))[0] == 0
    [folder] = all_folders()
    lock = folder.try_lock()
    while lock is None:
        time.sleep(0.02)
        lock = folder.try_lock()
    lock.release()
    reader = as_reader(home)
    code, out, err = finish(start("batch", "list", shell=reader))
    assert code == 0, err
    assert batch_id in out
    assert f"{COUNT}/{COUNT}" in out
    assert finish(start("batch", "status", batch_id, shell=reader))[0] == 0
    code, out, _ = finish(start("batch", "results", batch_id, shell=reader))
    assert (code, texts(out)) == (0, ANSWERS)
    code, _, err = finish(start("batch", "resubmit", batch_id, shell=reader))
    assert code == 5
    assert str(folder.path) in err
    assert "Permission denied" in err


def test_a_folder_of_jobs_that_cannot_be_read_is_not_an_empty_one(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "state").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    code, _, err = finish(start("batch", "list"))
    assert code == 5
    assert "jobs cannot be listed: Not a directory" in err
