"""`oumi infer --batch true`: what it shows, and what Ctrl-C and a kill leave behind."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.batch.api import folders, rows
from tests.fault_server import FaultServer

KILLS = 4
EXAMPLE = Path(__file__).parents[2] / "examples" / "batch_run.py"


class Command:
    """The command line of one run."""

    def __init__(self, server: FaultServer, folder: Path, count: int):
        self.output = folder / "out.jsonl"
        source = folder / "in.jsonl"
        source.write_text("".join(row.to_json() + "\n" for row in rows(count)))
        self._words = [sys.executable, "-m", "oumi", "infer", "--engine", "OPENAI"]
        for name, value in {
            "input_path": source,
            "output_path": self.output,
            "batch": "true",
            "model.model_name": "gpt-4",
            "remote_params.api_url": server.api_url,
            "remote_params.batch_poll_s": 0.02,
        }.items():
            self._words += [f"--{name}", str(value)]

    def start(self, *more: str) -> subprocess.Popen[str]:
        env = {**os.environ, "OPENAI_API_KEY": "sk-of-the-command"}
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*self._words, *more], env=env, text=True, **streams)

    def run(self, *more: str) -> tuple[int, str]:
        process = self.start(*more)
        _, shown = process.communicate(timeout=60)
        return process.returncode, shown

    def answers(self) -> list[str]:
        lines = map(json.loads, self.output.read_text().splitlines())
        return [line["messages"][-1]["content"] for line in lines]


def test_a_run_that_was_interrupted_goes_on_with_its_job(server: FaultServer, tmp_path: Path):
    server.plan(batch={"hold": True})
    command = Command(server, tmp_path, 4)
    process = command.start()
    server.wait_until(lambda _: server.batches()["batches"], timeout_s=60)
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "batch_1 goes on at OPENAI, and the same command with it" in shown
    assert "Stopping: -" not in shown
    server.move_batch(plan={"hold": False})
    code, shown = command.run()
    assert code == 0, shown
    assert "batch_1 at OPENAI: completed, 4 of 4 answered" in shown
    assert "latency" not in shown
    assert command.answers() == [f"answer to row-{i}" for i in range(4)]
    assert len(server.batches()["batches"]) == 1


def test_rows_that_failed_are_named(server: FaultServer, tmp_path: Path):
    server.plan(batch={"rows": {"row-2": 400}})
    code, shown = Command(server, tmp_path, 4).run()
    assert code == 6
    assert "line 3 (row 2): " in shown


@pytest.mark.parametrize("value", ["maybe", "2"])
def test_another_value_is_an_error(server: FaultServer, tmp_path: Path, value: str):
    code, shown = Command(server, tmp_path, 1).run("--batch", value)
    assert (code, "expected true, false or auto" in shown) == (2, True), shown


@pytest.mark.parametrize("words", [[], ["auto"]])
def test_the_example(server: FaultServer, tmp_path: Path, monkeypatch, words: list[str]):
    server.plan(batch={"states": ["completed"]})
    monkeypatch.setenv("OPENAI_BASE_URL", server.api_url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-example")
    done = subprocess.run(
        [sys.executable, EXAMPLE, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    questions = (EXAMPLE.parent / "questions.jsonl").read_text().splitlines()
    assert done.stdout.count("answer to ") == len(questions)
    assert "batch_1 at OPENAI: completed" in done.stderr
    assert (tmp_path / "batch_answers.jsonl.run.json").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_kills_while_a_job_runs_pay_for_nothing_twice(server: FaultServer, tmp_path: Path):
    server.plan(latency_ms=15)  # so that many a kill comes while a request is on its way
    moments = random.Random(5)
    began_s = time.monotonic()
    first = Command(server, _made(tmp_path / "first"), 20)
    assert first.run()[0] == 0
    whole_s = time.monotonic() - began_s
    kills = jobs = 0
    while kills < KILLS:
        jobs += 1
        command = Command(server, _made(tmp_path / str(jobs)), 20 + jobs)
        while kills < KILLS and _is_killed(command, moments.uniform(whole_s / 3, whole_s)):
            kills += 1
        assert command.run()[0] == 0
        assert command.answers() == [f"answer to row-{i}" for i in range(20 + jobs)]
    seen = server.batches()
    assert len(seen["batches"]) == len(folders()) == jobs + 1
    assert sum(seen["rows"].values()) == sum(20 + i for i in range(jobs + 1))


def _is_killed(command: Command, after_s: float) -> bool:
    """Whether the run was killed so long after its beginning, and not done before."""
    process = command.start()
    time.sleep(after_s)  # the moment of the kill is what the test varies
    is_running = process.poll() is None
    process.kill()
    process.communicate()
    return is_running


def _made(path: Path) -> Path:
    path.mkdir()
    return path
