"""Progress of calls from Python: on a terminal, in a notebook, and where nobody looks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nbclient
import nbformat
import pytest

from oumi.core.types import Completion, Message, Role, Usage
from oumi.progress.line import progress_line
from oumi.runner.cost import Price
from oumi.runner.events import RowDone, RunStarted
from oumi.runner.stats import RunStats
from oumi.runner.throughput import Throughput
from tests.cli.terminal import Terminal
from tests.fault_server import FaultServer

_SCRIPT = """\
import sys
from oumi.core.configs import InferenceConfig, ModelParams, RemoteParams
from oumi.inference import OpenAIInferenceEngine

engine = OpenAIInferenceEngine(
    ModelParams(model_name="gpt-4o-mini"),
    remote_params=RemoteParams(api_url=sys.argv[1], api_key="k", num_workers=4),
)
texts = [f"question {number}" for number in range(40)]
"""
_RUN = 'print(len(engine.infer(texts, InferenceConfig(output_path="out.jsonl"))), "answers")\n'
_SHOWN = 'print(len(engine.infer(texts, progress=True)), "answers")\n'


@pytest.fixture
def slow(server: FaultServer) -> FaultServer:
    """A server with which 40 rows by four take about three seconds."""
    server.plan(latency_ms=300)
    return server


def _script(folder: Path, code: str) -> str:
    path = folder / "script.py"
    path.write_text(_SCRIPT + code, encoding="utf-8")
    return str(path)


def test_a_script_on_a_terminal_has_a_bar(slow: FaultServer, tmp_path: Path) -> None:
    program = (_script(tmp_path, _RUN),)
    with Terminal(slow.api_url, cwd=tmp_path, program=program) as terminal:
        terminal.expect("/40 done")
        terminal.expect("left")
        terminal.expect("40 answers")
        assert terminal.wait() == 0


def test_ctrl_c_in_a_script_says_what_is_kept(slow: FaultServer, tmp_path: Path) -> None:
    program = (_script(tmp_path, _RUN),)
    with Terminal(slow.api_url, cwd=tmp_path, program=program) as terminal:
        terminal.expect("/40 done")
        terminal.press_ctrl("c")
        terminal.expect("KeyboardInterrupt: ")
        terminal.wait()
    message = terminal.shown.rpartition("KeyboardInterrupt: ")[2].strip()
    assert message.endswith(
        "of 40 rows are done and kept in out.jsonl.journal; the same call goes on from there"
    )
    assert terminal.shown.count('File "') == 3  # the script, the engine, the wait
    lines = (tmp_path / "out.jsonl.journal").read_text(encoding="utf-8").splitlines()
    done = sum("completion" in line for line in lines)
    assert message.startswith(f"{done} of 40")


@pytest.mark.parametrize(("code", "shown"), [(_RUN, False), (_SHOWN, True)])
def test_in_a_pipe_only_where_asked_for(
    slow: FaultServer, tmp_path: Path, code: str, shown: bool
) -> None:
    command = [sys.executable, _script(tmp_path, code), slow.api_url]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout == "40 answers\n"
    assert ("40/40 done" in done.stderr) == shown


def test_a_notebook_shows_progress_and_values(slow: FaultServer, tmp_path: Path) -> None:
    arguments = f"import sys; sys.argv[1:] = [{json.dumps(slow.api_url)}]\n"
    code = [arguments + _SCRIPT, "result = engine.infer_partial(texts)", "result"]
    cells = [nbformat.v4.new_code_cell(text) for text in [*code, "result.conversations[0]"]]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    _, run, result, conversation = (cell.outputs for cell in cells)
    assert [output.output_type for output in run] == ["display_data"]
    bar = run[0].data["text/html"]
    assert bar.startswith('<progress max="40" value="40"></progress> 40/40 done')
    assert result[0].data["text/plain"] == "InferenceResult(40 done, 0 failed)"
    assert result[0].data["text/html"].count("<tr>") == 11
    assert "question 0" in conversation[0].data["text/html"]


def test_what_is_left_and_the_cost_stay_in_a_narrow_window() -> None:
    stats = RunStats()
    stats.update(RunStarted(1000, 0, "OPENAI", None, Price("m", 1e-6, 1e-6, 2e-6)))
    for row in range(10):
        answer = Completion(Message(role=Role.ASSISTANT, content="4"), usage=Usage(1000, 500))
        stats.update(RowDone(row, answer, 0.1))
    throughput = Throughput(stats.started_s)
    throughput.update(10, 5000)
    whole = progress_line(stats, throughput)
    assert "tokens/s" in whole
    narrow = progress_line(stats, throughput, 45)
    assert len(narrow) <= 45
    assert narrow.startswith("10/1,000 done")
    assert narrow.endswith(" left")
    assert "$" in narrow
    assert "tokens/s" not in narrow
    assert progress_line(stats, throughput, 5) == "10/1,000 done"
