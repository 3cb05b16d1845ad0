"""SIGKILL in the midst of a run: the cap holds for the calls before and after it together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.conftest import count_records
from tests.cost.conftest import KEY, MODEL, MOST_TOKENS, asked, cost_of, questions
from tests.fault_server import FaultServer

ROWS, WORKERS = 900, 16
CAP = 0.02


def start(source: Path, output: Path, cap: float) -> subprocess.Popen[str]:
    options = {
        "engine": "OPENAI",
        "model.model_name": MODEL,
        "input_path": source,
        "output_path": output,
        "generation.max_new_tokens": MOST_TOKENS,
        "remote_params.num_workers": WORKERS,
        "max_cost_usd": cap,
    }
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "oumi", "infer", "-q", *given]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_the_cap_holds_over_kills(server: FaultServer, tmp_path: Path, monkeypatch, write_jsonl):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    server.plan(answer_tokens=[1, MOST_TOKENS], latency_ms=20)
    source, output = write_jsonl(questions(ROWS)), tmp_path / "out.jsonl"
    for goal in (60, 200):
        process = start(source, output, CAP)
        server.wait_until(lambda stats, goal=goal: stats["requests"] >= goal)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert cost_of(server) <= CAP

    printed, _ = (last := start(source, output, CAP)).communicate(timeout=60)
    assert last.returncode == 7, printed
    assert f"max_cost_usd = {CAP} is reached" in printed
    assert 0.8 * CAP <= cost_of(server) <= CAP, "what was in flight at the kills counts in full"

    recorded, before = count_records(Path(f"{output}.journal")), asked(server)
    assert before - recorded <= 2 * WORKERS, "at most what was in flight is lost"
    done = start(source, output, 1.0)
    assert done.communicate(timeout=60)[0] == ""
    assert done.returncode == 0
    assert asked(server) - before == ROWS - recorded, "no recorded row is asked again"
