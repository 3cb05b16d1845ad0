"""File systems of clusters: without flock, without fsync of folders, with errors at any call."""

from __future__ import annotations

import json
import signal
import socket
import time
from errno import EBUSY, EDQUOT, EINVAL, EIO, ENOLCK, ENOSPC, ENOSYS, EOPNOTSUPP, ESTALE, EXDEV
from pathlib import Path

import pytest

from tests.fault_server import FaultServer
from tests.runner.faulty_disk import (
    NO_FLOCK,
    Start,
    engine,
    finish,
    write_rows,
    written,
)

COUNT = 20
ANSWERS = [f"answer to row-{i}" for i in range(COUNT)]


@pytest.fixture
def infer(server: FaultServer, tmp_path: Path) -> list[str]:
    """A run of 20 rows."""
    write_rows(tmp_path / "in.jsonl", COUNT)
    return ["infer", "-q", *engine(server), "--input_path=in.jsonl", "--output_path=out.jsonl"]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def wait_for_lines(journal: Path, count: int) -> None:
    end_s = time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b"\n") <= count:
        assert time.monotonic() < end_s
        time.sleep(0.02)


@pytest.mark.parametrize("error", [ENOSYS, ENOLCK, EOPNOTSUPP])
def test_without_flock_a_run_ends_well(start: Start, infer, tmp_path: Path, error: int):
    assert finish(start(*infer, faults=f"flock:{error}:")) == (0, "", "")
    assert written(tmp_path / "out.jsonl") == ANSWERS
    expected = {"in.jsonl", "out.jsonl", "out.jsonl.journal", "out.jsonl.run.json"}
    assert names(tmp_path) == expected


def test_a_lock_that_fails_otherwise_is_an_error(start: Start, infer, tmp_path: Path):
    code, _, err = finish(start(*infer, faults=f"flock:{EIO}:"))
    assert code == 5
    assert "out.jsonl.journal: cannot be locked: Input/output error" in err


@pytest.mark.parametrize("faults", [("", ""), (NO_FLOCK, NO_FLOCK), (NO_FLOCK, "")])
def test_two_runs_do_not_share_an_output(
    start: Start, infer, server: FaultServer, tmp_path: Path, faults: tuple[str, str]
):
    server.hold_after(5)
    infer = [*infer, "--remote_params.num_workers=1"]
    first = start(*infer, faults=faults[0])
    wait_for_lines(tmp_path / "out.jsonl.journal", 1)
    code, _, err = finish(start(*infer, faults=faults[1]))
    assert code == 2
    assert f"out.jsonl.journal: process {first.pid}" in err
    assert "works on this output" in err
    if faults[0]:
        assert f"on {socket.gethostname()}" in err
    server.release()
    assert finish(first) == (0, "", "")
    assert server.answered() == {f"row-{i}": 1 for i in range(COUNT)}


def test_a_killed_run_leaves_no_lock(start: Start, infer, server: FaultServer, tmp_path: Path):
    server.plan(latency_ms=200)
    journal = tmp_path / "out.jsonl.journal"
    killed = start(*infer, "--remote_params.num_workers=1", faults=NO_FLOCK)
    wait_for_lines(journal, 3)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert (tmp_path / "out.jsonl.journal.lock").exists()
    recorded = journal.read_bytes().count(b'"completion":')
    server.plan()
    assert finish(start(*infer, faults=NO_FLOCK)) == (0, "", "")
    assert written(tmp_path / "out.jsonl") == ANSWERS
    assert sum(server.answered().values()) == COUNT - recorded
    assert not (tmp_path / "out.jsonl.journal.lock").exists()


@pytest.mark.parametrize("faults", ["", f"fsync:{EINVAL}:/", f"fsync:{EOPNOTSUPP}:/"])
def test_folders_that_cannot_be_synced(start: Start, infer, tmp_path: Path, faults: str):
    assert finish(start(*infer, faults=faults)) == (0, "", "")
    assert finish(start(*infer, faults=faults)) == (0, "", "")
    assert written(tmp_path / "out.jsonl") == ANSWERS


@pytest.mark.parametrize("error", [EXDEV, EBUSY])
def test_where_no_file_can_be_renamed(start: Start, infer, tmp_path: Path, error: int):
    assert finish(start(*infer, faults=f"rename:{error}:")) == (0, "", "")
    assert written(tmp_path / "out.jsonl") == ANSWERS
    assert json.loads((tmp_path / "out.jsonl.run.json").read_text())["done"] == COUNT
    assert not [name for name in names(tmp_path) if "partial" in name]


@pytest.mark.parametrize(
    ("fault", "words", "advice"),
    [
        (f"rename:{EIO}:out.jsonl", "out.jsonl: cannot be written: Input/output error", "run"),
        (f"rename:{ENOSPC}:run.json", "run.json: cannot be written: No space left", "make room"),
        (f"fsync:{EDQUOT}:partial", "cannot be written: Disk quota exceeded", "make room"),
        (f"fsync:{ESTALE}:journal", "journal: cannot be synced to the disk: Stale file", "run"),
        (f"pwrite:{ESTALE}:journal", "journal", "Stale file handle"),
    ],
)
def test_an_error_says_what_failed_and_loses_nothing(
    start: Start,
    infer,
    server: FaultServer,
    tmp_path: Path,
    fault: str,
    words: str,
    advice: str,
):
    code, _, err = finish(start(*infer, faults=fault))
    assert code == 5
    assert words in err
    assert advice in err
    assert ("make room" in err) == (advice == "make room")
    assert "None" not in err
    journal = tmp_path / "out.jsonl.journal"
    recorded = journal.read_bytes().count(b'"completion":')
    asked = sum(server.answered().values())
    assert finish(start(*infer)) == (0, "", "")
    assert written(tmp_path / "out.jsonl") == ANSWERS
    assert sum(server.answered().values()) - asked == COUNT - recorded


def test_standard_input_that_finds_no_room(start: Start, infer, tmp_path: Path):
    write_rows(tmp_path / "in.jsonl", 200)
    order = [*infer[:-2], "--input_path=-", "--output_path=out.jsonl"]
    code, _, err = finish(start(*order, shell="ulimit -f 1; exec < in.jsonl"))
    assert code == 5
    assert "standard input: cannot be kept in a temporary file: File too large" in err


def test_few_open_files_mean_few_connections(
    start: Start, infer, server: FaultServer, tmp_path: Path
):
    server.plan(latency_ms=20)
    write_rows(tmp_path / "in.jsonl", 300)
    options = ["--remote_params.num_workers=200", "--remote_params.use_adaptive_concurrency=false"]
    code, _, err = finish(start(*infer, *options, shell="ulimit -n 64"))
    assert code == 0
    assert "at most 24 requests run at once" in err
    assert written(tmp_path / "out.jsonl") == [f"answer to row-{i}" for i in range(300)]
    assert server.answered() == {f"row-{i}": 1 for i in range(300)}
