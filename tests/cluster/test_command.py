"""`oumi infer --cluster`: what is on the terminal, and what is on standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.cluster.running import ROWS, worker_pids
from tests.fault_server import FaultServer

pytest.importorskip("ray", reason="the tests of clusters run in the environment of test-engines")


@pytest.fixture
def arguments(cluster: Any, server: FaultServer, questions: Path) -> list[str]:
    """A run of seconds by two workers."""
    server.plan(latency_ms=100)
    settings = {
        "engine": "REMOTE",
        "model.model_name": "m",
        "remote_params.api_url": server.api_url,
        "remote_params.num_workers": "8",
        "remote_params.use_adaptive_concurrency": "false",
        "input_path": str(questions),
        "cluster.address": cluster.address,
        "cluster.workers": "2",
    }
    return ["infer", *(word for name, value in settings.items() for word in (f"--{name}", value))]


def test_a_terminal_has_a_line_for_each_worker(arguments: list[str], tmp_path: Path) -> None:
    with Terminal(*arguments, "--output_path", "out.jsonl", cwd=tmp_path) as terminal:
        terminal.expect("worker 2  ready")
        os.kill(worker_pids()[0], signal.SIGKILL)
        terminal.expect("is lost: The actor died unexpectedly")
        terminal.expect("lost ")
        terminal.expect("worker 3  ready")
        shown = terminal.screen()
        assert terminal.wait() == 0
        left = terminal.screen()
    workers = [line for line in shown.splitlines() if line.startswith("worker ")]
    assert [line.split()[1] for line in workers][-1] == "3"
    assert all("tokens/s" in line and "in flight" in line for line in workers), shown
    assert "warning: cluster: worker " in left, "what is said stays above the bar"
    assert "raylet" not in left
    assert "  ready  " not in left, "the lines of workers go with the bar"
    assert f"rows      {ROWS} done, 0 failed" in left


def test_standard_output_has_answers_alone(
    arguments: list[str], tmp_path: Path, server: FaultServer
) -> None:
    server.hold_after(ROWS // 2)
    run = subprocess.Popen(
        [sys.executable, "-m", "oumi", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    server.wait_until(lambda stats: stats["requests"] > ROWS // 4, timeout_s=60)
    os.kill(worker_pids()[0], signal.SIGKILL)
    server.release()
    out, err = run.communicate(timeout=100)
    assert run.returncode == 0, err
    answers = [json.loads(line)["messages"][-1]["content"] for line in out.splitlines()]
    assert answers == [f"answer to row-{i}" for i in range(ROWS)]
    assert err.count("warning: cluster: worker ") == 1
    ready = [line for line in err.splitlines() if line.startswith("worker ") and " ready " in line]
    assert len(ready) >= 2
    assert all(" rows " in line and " tokens/s " in line for line in ready)
