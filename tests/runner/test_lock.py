"""The lock of a file, where the file system has flock and where it has not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oumi.errors import OutputExistsError, StorageError
from oumi.runner.storage.journal import Journal
from oumi.runner.storage.lock import Lock, holder_of, try_lock
from tests.runner.faulty_disk import NO_FLOCK

# Prints whether it got the lock, and holds it until its standard input ends.
HOLD = """
import sys
from pathlib import Path
from oumi.runner.storage.lock import try_lock
print("ready", flush=True)
sys.stdin.readline()
lock = try_lock(Path(sys.argv[1]))
print("locked" if lock else "held", flush=True)
sys.stdin.read()
if lock:
    lock.check()
    lock.release()
"""

Process = subprocess.Popen[str]


@pytest.fixture
def hold(library: Path):
    """Start a process that waits for a line, and then tries to lock a file."""
    started: list[Process] = []

    def begin(path: Path, faults: str = NO_FLOCK) -> Process:
        env = {**os.environ, "LD_PRELOAD": str(library), "DISK_FAULTS": faults}
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", HOLD, str(path)]
        process = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def tell(process: Process) -> None:
    process.stdin.write("\n")
    process.stdin.flush()


def outcome(process: Process) -> str:
    if process.stdout.readline() == "ready\n":
        tell(process)
    return process.stdout.readline().strip()


def lock_file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def write_foreign(path: Path, age_s: float) -> Path:
    """A lock file of another machine, renewed so many seconds ago."""
    file = lock_file(path)
    holder = {"token": "ab", "user": "mia", "host": "node7", "machine": "m", "pid": 12}
    file.write_text(json.dumps({**holder, "started": "1"}, separators=(",", ":")))
    renewed_s = time.time() - age_s
    os.utime(file, (renewed_s, renewed_s))
    return file


def test_flock_says_who_holds_it(hold, tmp_path: Path):
    holder = hold(tmp_path / "f", faults="")
    assert outcome(holder) == "locked"
    assert try_lock(tmp_path / "f") is None
    assert holder_of(tmp_path / "f") == f"process {holder.pid} on this machine"
    assert not lock_file(tmp_path / "f").exists()


@pytest.mark.parametrize("faults", [NO_FLOCK, ""])
def test_a_lock_file_is_respected_until_its_holder_ends(hold, tmp_path: Path, faults: str):
    first = hold(tmp_path / "f")
    assert outcome(first) == "locked"
    assert outcome(hold(tmp_path / "f", faults)) == "held"
    assert holder_of(tmp_path / "f").startswith(f"process {first.pid} of ")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert outcome(hold(tmp_path / "f", faults)) == "locked"


def test_one_that_lets_go_removes_its_lock_file(hold, tmp_path: Path):
    process = hold(tmp_path / "f")
    assert outcome(process) == "locked"
    assert lock_file(tmp_path / "f").exists()
    process.communicate()
    assert process.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"f"}


def test_one_of_another_machine_is_held_while_it_is_renewed(hold, tmp_path: Path):
    file = write_foreign(tmp_path / "f", age_s=10)
    assert outcome(hold(tmp_path / "f")) == "held"
    with pytest.raises(OutputExistsError, match=r"process 12 of mia on node7 .*works on this"):
        Journal(tmp_path / "f")
    write_foreign(tmp_path / "f", age_s=100)
    assert outcome(hold(tmp_path / "f")) == "locked"
    assert "node7" not in file.read_text()


def test_a_process_with_the_id_of_one_that_ended_does_not_hold_its_lock(hold, tmp_path: Path):
    process = hold(tmp_path / "f")
    assert outcome(process) == "locked"
    file = lock_file(tmp_path / "f")
    holder = json.loads(file.read_text())
    process.kill()
    process.wait()
    file.write_text(json.dumps({**holder, "pid": os.getpid()}, separators=(",", ":")))
    assert outcome(hold(tmp_path / "f")) == "locked"


def test_of_many_that_find_a_stale_lock_one_gets_it(hold, tmp_path: Path):
    path = tmp_path / "f"
    for _ in range(3):
        write_foreign(path, age_s=100)
        racing = [hold(path) for _ in range(6)]
        for process in racing:
            assert process.stdout.readline() == "ready\n"
        for process in racing:
            tell(process)
        outcomes = [process.stdout.readline().strip() for process in racing]
        assert sorted(outcomes) == ["held"] * 5 + ["locked"]
        for process in racing:
            process.communicate()
        assert [process.returncode for process in racing] == [0] * 6
        assert not lock_file(path).exists()


def test_a_file_of_others_in_its_place_is_kept(hold, tmp_path: Path):
    file = lock_file(tmp_path / "f")
    file.write_text("my notes")
    os.utime(file, (0, 0))
    with pytest.raises(StorageError, match=r"f\.lock: not a lock file of a run; move it away"):
        try_lock(tmp_path / "f")
    assert file.read_text() == "my notes"


def test_a_lock_is_handed_over_to_a_child_that_others_have_not_overtaken(tmp_path: Path):
    path = tmp_path / "f"
    path.touch()
    write_foreign(path, age_s=0)
    file = os.open(path, os.O_RDWR)
    lock = Lock.inherit(path, f"{file}:ab")
    assert lock is not None
    assert holder_of(path).startswith(f"process {os.getpid()} of ")
    lock.check()
    lock.release()
    assert not lock_file(path).exists()
    write_foreign(path, age_s=0)
    assert Lock.inherit(path, f"{os.open(path, os.O_RDWR)}:cd") is None


LOSE = """
import sys, time
from pathlib import Path
from oumi.core.types import Completion, Message, Role
from oumi.errors import StorageError
from oumi.runner.storage.journal import Journal

answer = Completion(Message(role=Role.ASSISTANT, content="a"))
with Journal(Path(sys.argv[1])) as journal:
    Path(sys.argv[1] + ".lock").unlink()
    try:
        for row in range(10_000):
            journal.append(row, f"{row:032x}", answer, latency_s=0.1)
            time.sleep(0.05)
    except StorageError as error:
        print(error)
"""


@pytest.mark.slow
def test_one_that_has_lost_its_lock_stops_writing(library: Path, tmp_path: Path):
    env = {**os.environ, "LD_PRELOAD": str(library), "DISK_FAULTS": NO_FLOCK}
    command = [sys.executable, "-c", LOSE, str(tmp_path / "j")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "j.lock: this process has lost its lock" in done.stdout
    with Journal(tmp_path / "j") as journal:
        assert journal.unclaimed > 0
