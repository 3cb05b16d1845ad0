"""The files on the page on clusters do what they are there for, as far as one machine can tell."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.pages import ROOT, Block, blocks
from tests.fault_server import FaultServer

ROWS = 48
PAGE = ROOT / "docs" / "cluster.md"


def _block(words: str) -> Block:
    [found] = [block for block in blocks(PAGE) if words in block.code]
    return found


@pytest.fixture
def folder(tmp_path: Path, server: FaultServer) -> Path:
    """With an input and `run.yaml`."""
    rows = [{"messages": [{"role": "user", "content": f"row-{i}"}]} for i in range(ROWS)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = {
        "engine": "REMOTE",
        "model": {"model_name": "m"},
        "input_path": str(tmp_path / "in.jsonl"),
        "output_path": str(tmp_path / "out.jsonl"),
        "remote_params": {"api_url": server.api_url, "num_workers": 1},
    }
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def _start(command: list[str], folder: Path, **variables: object) -> subprocess.Popen[bytes]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    given = {name: str(value) for name, value in variables.items()}
    env = {**os.environ, "PATH": path, **given}
    return subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.PIPE)


def _run(command: list[str], folder: Path, **variables: object) -> None:
    process = _start(command, folder, **variables)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()


def _check_merged(folder: Path, server: FaultServer) -> None:
    _run([sys.executable, "-m", "oumi", "merge", "-c", "run.yaml"], folder)
    lines = (folder / "out.jsonl").read_text().splitlines()
    answers = [json.loads(line)["messages"][-1]["content"] for line in lines]
    assert answers == [f"answer to row-{i}" for i in range(ROWS)]
    assert server.stats()["requests"] == ROWS


def _slurm_tasks(script: str) -> Iterator[dict[str, int]]:
    """The variables of each task, as sbatch sets them for `--array`."""
    match = re.search(r"^#SBATCH --array=(\d+)-(\d+)$", script, re.MULTILINE)
    assert match is not None
    first, last = int(match[1]), int(match[2])
    for number in range(first, last + 1):
        yield {
            "SLURM_ARRAY_TASK_ID": number,
            "SLURM_ARRAY_TASK_MIN": first,
            "SLURM_ARRAY_TASK_MAX": last,
            "SLURM_ARRAY_TASK_COUNT": last - first + 1,
        }


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_script_for_slurm_asks_each_row_once(folder: Path, server: FaultServer):
    script = folder / "parts.sh"
    script.write_text(_block("#SBATCH --array").code)
    tasks = list(_slurm_tasks(script.read_text()))
    assert len(tasks) == 16
    for task in tasks:
        _run(["bash", str(script)], folder, **task)
    _check_merged(folder, server)


def test_a_task_of_slurm_hears_that_it_has_to_end(folder: Path, server: FaultServer):
    script = folder / "parts.sh"
    script.write_text(_block("#SBATCH --array").code.replace("/16", "/1"))
    server.plan(latency_ms=50)
    process = _start(["bash", str(script)], folder, SLURM_ARRAY_TASK_ID=1)
    server.wait_until(lambda stats: stats["requests"] > 2)
    process.send_signal(signal.SIGTERM)  # as by `--signal=B:TERM@120`, to the shell alone
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert server.stats()["requests"] < ROWS
    server.wait_until(lambda stats: stats["in_flight"] == 0)
    asked = server.stats()["requests"]
    _run(["bash", str(script)], folder, SLURM_ARRAY_TASK_ID=1)
    assert server.stats()["requests"] == ROWS, f"{asked} were asked and none of them again"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_job_for_kubernetes_asks_each_row_once(folder: Path, server: FaultServer):
    job: dict[str, Any] = yaml.safe_load(_block("kind: Job").code)
    assert (job["apiVersion"], job["spec"]["completionMode"]) == ("batch/v1", "Indexed")
    pod = job["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [mount] = container["volumeMounts"]
    assert [volume["name"] for volume in pod["volumes"]] == [mount["name"]]
    command = [word.replace(mount["mountPath"], str(folder)) for word in container["command"]]
    for index in range(job["spec"]["completions"]):
        _run(command, folder, JOB_COMPLETION_INDEX=index)
    _check_merged(folder, server)


def test_the_job_for_kubernetes_ends_where_another_try_is_no_use(folder: Path):
    job: dict[str, Any] = yaml.safe_load(_block("kind: Job").code)
    ending = job["spec"]["podFailurePolicy"]["rules"][0]
    assert ending["action"] == "FailJob"
    [container] = job["spec"]["template"]["spec"]["containers"]
    command = [word.replace("/data", str(folder)) for word in container["command"]]
    (folder / "in.jsonl").unlink()
    process = _start(command, folder, JOB_COMPLETION_INDEX=3)
    process.communicate(timeout=60)
    assert process.returncode in ending["onExitCodes"]["values"]
